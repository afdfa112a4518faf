using Agent.Media.Motion;

namespace Agent.Media.Tests.Motion;

/// <summary>What is taken for motion and what is not, on drawn scenes.</summary>
public sealed class MotionDetectorTests
{
    private static readonly MotionSettings Usual = new() { HoldFor = TimeSpan.FromSeconds(4) };
    private static readonly MotionArea Sky = MotionArea.Rectangle(0, 0, 1, 0.34);

    /// <summary>Scenes of a minute or two in which nothing moves.</summary>
    private static readonly Dictionary<string, (double Noise, Action<double, Scene.Canvas>? Draw)> Still = new()
    {
        ["no noise"] = (0, null),
        ["noise of a good sensor"] = (4, null),
        ["noise of a sensor at night"] = (25, null),
        ["sunset: 80 % darker within a minute"] = (4, (t, c) => c.Change((l, _, _) => l * (float)Math.Max(0.2, 1 - (t * 0.8 / 60)))),
        ["clouds: a quarter darker and brighter within four seconds, again and again"] = (4, (t, c) => c.Change((l, _, _) => l * (float)(0.875 + (0.125 * Math.Cos(t * 2 * Math.PI / 8))))),
        ["a flash every seven seconds"] = (4, (t, c) => c.Change((l, _, _) => (int)Math.Round(t * 5) % 35 == 30 ? l + 80 : l)),
        ["exposure steps of a fifth every ten seconds"] = (4, (t, c) => c.Change((l, _, _) => (int)(t / 10) % 2 == 1 ? l * 0.8f : l)),
        ["a saturated sky while exposure steps"] = (4, (t, c) => c.Change((l, _, y) => Math.Min(255, (y < 60 ? 300 : l) * ((int)(t / 10) % 2 == 1 ? 0.85f : 1)))),
        ["an IR filter that switches every 20 seconds"] = (6, (t, c) => c.Change((l, x, y) => (int)(t / 20) % 2 == 1 ? 40 + (0.5f * (255 - l)) + (20 * MathF.Sin((x + y) / 9f)) : l)),
        ["an IR filter after which exposure takes a second"] = (6, (t, c) => c.Change((l, x, y) => (int)(t / 20) % 2 == 1
            ? (40 + (0.5f * (255 - l)) + (20 * MathF.Sin((x + y) / 9f))) * (float)(1 + (0.8 * Math.Exp(-(t % 20) * 3))) : l)),
        ["an insect that one picture in two seconds shows"] = (4, (t, c) =>
        {
            if (t > 3 && (int)Math.Round(t * 5) % 10 == 9) c.Add(c.Random.NextDouble() * 0.8, c.Random.NextDouble() * 0.8, 0.1, 0.1, 70);
        }),
        ["rain: thirty drops in every picture"] = (4, (_, c) =>
        {
            for (var i = 0; i < 30; i++) c.Add(c.Random.NextDouble(), c.Random.NextDouble(), 0.004, 0.04, 60);
        }),
        ["something smaller than the smallest area"] = (4, (t, c) => c.Add(t / 60, 0.6, 0.015, 0.02, 60)),
    };

    /// <summary>Things that cross the picture; width and height as shares of it, contrast in luma steps, seconds to cross.</summary>
    private static readonly (string What, double Width, double Height, float Contrast, double Seconds, double Noise, int Sensitivity)[] Crossing =
    [
        ("a person near", 0.12, 0.6, -40, 6, 4, 50),
        ("a person across the garden", 0.04, 0.2, -40, 12, 4, 50),
        ("a person across the garden at night", 0.04, 0.2, 40, 12, 25, 50),
        ("a person in grey before grey", 0.05, 0.25, 12, 10, 4, 50),
        ("the same with little sensitivity, in black", 0.05, 0.25, -60, 10, 4, 15),
        ("a cat", 0.05, 0.07, 30, 6, 4, 60),
        ("a car", 0.3, 0.25, 50, 3, 4, 50),
        ("a snail of a person", 0.05, 0.25, -40, 60, 4, 50),
        ("little contrast, at the most sensitive", 0.06, 0.3, 4, 10, 2, 100),
    ];

    public static TheoryData<string, int> StillScenes() => Seeds(Still.Keys);

    public static TheoryData<string, int> CrossingScenes() => Seeds(Crossing.Select(static scene => scene.What));

    private static TheoryData<string, int> Seeds(IEnumerable<string> names)
    {
        var data = new TheoryData<string, int>();
        foreach (var name in names)
        {
            foreach (var seed in new[] { 1, 2, 3 }) data.Add(name, seed);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(StillScenes))]
    public void No_false_alarm(string what, int seed)
    {
        var (noise, draw) = Still[what];
        var scene = new Scene(seed) { Noise = noise, Draw = draw };
        Assert.Empty(scene.Play(new MotionDetector(Scene.Grid, Usual), 120));
    }

    [Theory]
    [MemberData(nameof(CrossingScenes))]
    public void What_crosses_the_picture_is_one_motion(string what, int seed)
    {
        var thing = Crossing.Single(other => other.What == what);
        const double From = 10;
        var scene = new Scene(seed)
        {
            Noise = thing.Noise,
            Draw = (t, c) =>
            {
                // From beyond one edge to beyond the other.
                if (t >= From && t < From + thing.Seconds) c.Add(((t - From) / thing.Seconds * (1 + thing.Width)) - thing.Width, 0.35, thing.Width, thing.Height, thing.Contrast);
            },
        };
        var changes = scene.Play(new MotionDetector(Scene.Grid, Usual with { Sensitivity = thing.Sensitivity }), From + thing.Seconds + 20);
        Assert.Equal([true, false], changes.Select(static change => change.IsMoving));
        // Its least area must have come in first, and be in three pictures.
        Assert.InRange(changes[0].Second, From, From + (thing.Seconds * 0.25) + 0.8);
        var left = From + thing.Seconds;
        Assert.InRange(changes[1].Second, left + 2, left + 4 + 3.6);
    }

    [Fact]
    public void What_stops_becomes_background_and_what_leaves_is_motion_again()
    {
        var scene = new Scene(4)
        {
            // Drives in until 14 s, is parked until 60 s, drives off until 64 s.
            Draw = (t, c) =>
            {
                var x = t < 10 ? 2 : t < 14 ? (t - 10) / 4 * 0.5 : t < 60 ? 0.5 : 0.5 + ((t - 60) / 4 * 0.5);
                c.Add(x, 0.5, 0.2, 0.2, 50);
            },
        };
        var changes = scene.Play(new MotionDetector(Scene.Grid, Usual), 90);
        Assert.Equal([true, false, true, false], changes.Select(static change => change.IsMoving));
        // Stands still for three seconds, then is held for four.
        Assert.InRange(changes[1].Second, 14 + 4, 14 + 3 + 4 + 0.6);
        Assert.InRange(changes[2].Second, 60, 61);
        Assert.InRange(changes[3].Second, 64, 64 + 3 + 4 + 0.6);
    }

    [Fact]
    public void Leaves_in_an_ignored_part_are_not_seen_and_a_person_beside_them_is()
    {
        static void Leaves(double t, Scene.Canvas c)
        {
            c.Change((l, x, y) => y < 60 ? l - 60 + (float)(50 * Math.Sin((t * 5) + (x / 7.0) + (3 * Math.Sin((t * 2) + (y / 9.0))))) : l);
        }
        var ignoring = Usual with { Ignore = [Sky] };
        Assert.Empty(new Scene(5) { Draw = Leaves }.Play(new MotionDetector(Scene.Grid, ignoring), 60));
        Assert.NotEmpty(new Scene(5) { Draw = Leaves }.Play(new MotionDetector(Scene.Grid, Usual), 60));
        var person = new Scene(5)
        {
            Draw = (t, c) =>
            {
                Leaves(t, c);
                if (t is >= 20 and < 30) c.Add((t - 20) / 10, 0.5, 0.05, 0.3, -40);
            },
        };
        var changes = person.Play(new MotionDetector(Scene.Grid, ignoring), 60);
        Assert.Equal([true, false], changes.Select(static change => change.IsMoving));
        Assert.InRange(changes[0].Second, 20, 21);
    }

    [Fact]
    public void Each_zone_sees_what_is_in_it_at_its_own_sensitivity_and_size()
    {
        var settings = Usual with
        {
            Zones =
            [
                new MotionZone("left", MotionArea.Rectangle(0, 0, 0.5, 1)),
                new MotionZone("right", MotionArea.Rectangle(0.5, 0, 0.5, 1)),
                new MotionZone("blunt", MotionArea.WholePicture) { Sensitivity = 1 },
                new MotionZone("large things", MotionArea.WholePicture) { MinimumArea = 20 },
            ],
        };
        // Walks about in the left half only.
        var scene = new Scene(6) { Draw = (t, c) => c.Add(t is > 10 and < 20 ? 0.2 + (0.15 * Math.Sin(t)) : 2, 0.4, 0.06, 0.3, 20) };
        var detector = new MotionDetector(Scene.Grid, settings);
        var changes = scene.Play(detector, 40);
        Assert.Equal([(0, true), (0, false)], changes.Select(static change => (change.Zone, change.IsMoving)));
    }

    [Fact]
    public void Sensitivity_is_changed_while_it_looks()
    {
        var scene = new Scene(7) { Draw = (t, c) => c.Add(0.4 + (0.3 * Math.Sin(t)), 0.4, 0.08, 0.3, 12) };
        var detector = new MotionDetector(Scene.Grid, Usual with { Sensitivity = 10 });
        Assert.Empty(scene.Play(detector, 20));
        detector.SetSensitivity(70);
        Assert.True(scene.Play(detector, 20)[0].IsMoving);
    }

    [Fact]
    public void A_camera_that_was_away_and_a_clock_that_went_back_are_learnt_anew()
    {
        var detector = new MotionDetector(Scene.Grid, Usual);
        Assert.Empty(new Scene(8).Play(detector, 10));
        // The same instants again, and half of the view is another.
        var other = new Scene(8) { Draw = static (_, c) => c.Add(0, 0, 0.5, 1, 60) };
        Assert.Empty(other.Play(detector, 10));
    }

    [Fact]
    public void One_cell_is_enough_of_a_picture()
    {
        var detector = new MotionDetector(new LumaGrid(1, 1), Usual);
        for (var picture = 0; picture < 50; picture++) Assert.False(detector.Look([(ushort)(picture % 2 * 4000)], TimeSpan.FromSeconds(picture / 5.0)));
    }

    [Fact]
    public void Looking_allocates_nothing()
    {
        var scene = new Scene(9) { Draw = static (t, c) => c.Add(t / 20 % 1, 0.4, 0.1, 0.3, 50) };
        var detector = new MotionDetector(Scene.Grid, Usual);
        var pictures = Enumerable.Range(0, 100).Select(picture => scene.Render(picture / 5.0).ToArray()).ToArray();
        for (var picture = 0; picture < 50; picture++) detector.Look(pictures[picture], TimeSpan.FromSeconds(picture / 5.0));
        var downscaler = new LumaDownscaler(1920, 1080);
        var (plane, cells) = (new byte[1920 * 1080], new ushort[downscaler.Grid.Count]);
        downscaler.Downscale(plane, 1920, LumaLayout.Planar, cells);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var picture = 50; picture < 100; picture++)
        {
            downscaler.Downscale(plane, 1920, LumaLayout.Planar, cells);
            detector.Look(pictures[picture], TimeSpan.FromSeconds(picture / 5.0));
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(detector.IsMoving);
    }
}
