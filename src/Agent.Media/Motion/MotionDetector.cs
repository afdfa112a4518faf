namespace Agent.Media.Motion;

/// <summary>
/// Looks for things that move in coarse pictures of one camera. Pure: pictures and instants in, motion out. Used by one thread; allocates
/// nothing once it is made.
/// </summary>
public sealed class MotionDetector
{
    /// <summary>Motion begins when it is seen in so many of the last so many pictures: fewer are a flash, an insect, drops of rain that happen to meet.</summary>
    private const int NeededPictures = 3, RememberedPictures = 4;

    private const double Percent = 100;

    private readonly MotionSettings _settings;
    private readonly BackgroundModel _background;
    private readonly CellGroups _groups;
    private readonly float[] _strengths;
    private readonly Zone[] _zones;
    private readonly double _cells;

    /// <param name="grid">The pictures' size.</param>
    /// <param name="settings">What counts as motion.</param>
    public MotionDetector(LumaGrid grid, MotionSettings settings)
    {
        (Grid, _settings, _cells) = (grid, settings, grid.Count);
        var watched = new bool[grid.Count];
        Array.Fill(watched, true);
        foreach (var ignored in settings.Ignore.Select(area => area.Cover(grid)))
        {
            for (var cell = 0; cell < watched.Length; cell++) watched[cell] &= !ignored[cell];
        }
        IReadOnlyList<MotionZone> zones = settings.Zones.Count > 0 ? settings.Zones : [new MotionZone("", MotionArea.WholePicture)];
        _zones = [.. zones.Select(zone => new Zone(zone, grid, watched, settings))];
        _background = new BackgroundModel(watched);
        _groups = new CellGroups(grid);
        _strengths = new float[grid.Count];
        SetSensitivity(settings.Sensitivity);
    }

    public LumaGrid Grid { get; }

    /// <summary>Zones that are told apart; 1 if the whole picture is watched.</summary>
    public int ZoneCount => _zones.Length;

    /// <summary>Whether anything moves in any zone, or has just now.</summary>
    public bool IsMoving { get; private set; }

    /// <summary>The same for one zone, in the order of the settings; 0 is the whole picture if there are none.</summary>
    public bool IsZoneMoving(int zone) => _zones[zone].IsMoving;

    /// <summary>The size of the largest thing that moved in the zone in the last picture, in percent of the whole picture.</summary>
    public double GetZoneArea(int zone) => _zones[zone].LargestGroup * Percent / _cells;

    /// <summary>Sensitivity from the next picture on, for the zones that have none of their own.</summary>
    /// <param name="sensitivity">1 to 100.</param>
    public void SetSensitivity(int sensitivity)
    {
        foreach (var zone in _zones) zone.Contrast = MotionSettings.ToContrast(zone.OwnSensitivity ?? sensitivity);
    }

    /// <summary>Looks at the next picture.</summary>
    /// <param name="cells">As <see cref="LumaDownscaler"/> makes them.</param>
    /// <param name="now">When it was captured; an earlier instant than before, or a long gap, begins anew.</param>
    /// <returns>True if motion has begun or ended in some zone.</returns>
    public bool Look(ReadOnlySpan<ushort> cells, TimeSpan now)
    {
        var contrast = float.MaxValue;
        foreach (var zone in _zones) contrast = Math.Min(contrast, zone.Contrast);
        var isTold = _background.Take(cells, now, contrast, _strengths);
        var (hasChanged, isMoving) = (false, false);
        foreach (var zone in _zones)
        {
            zone.LargestGroup = isTold ? _groups.FindLargest(zone.Cells, _strengths, zone.Contrast) : 0;
            hasChanged |= zone.Note(zone.LargestGroup >= zone.LeastCells, now, _settings.HoldFor);
            isMoving |= zone.IsMoving;
        }
        IsMoving = isMoving;
        return hasChanged;
    }

    private sealed class Zone
    {
        private uint _history;
        private TimeSpan _lastMotion;

        public Zone(MotionZone zone, LumaGrid grid, bool[] watched, MotionSettings settings)
        {
            Cells = zone.Area.Cover(grid);
            for (var cell = 0; cell < Cells.Length; cell++) Cells[cell] &= watched[cell];
            var least = (int)Math.Ceiling((zone.MinimumArea ?? settings.MinimumArea) / Percent * grid.Count);
            // What fills half of a small zone is large enough for it.
            LeastCells = Math.Max(Math.Min(least, Cells.Count(static isIn => isIn) / 2), 1);
            OwnSensitivity = zone.Sensitivity;
        }

        public bool[] Cells { get; }

        public int LeastCells { get; }

        public int? OwnSensitivity { get; }

        public float Contrast { get; set; }

        public int LargestGroup { get; set; }

        public bool IsMoving { get; private set; }

        /// <summary>Notes whether something was seen to move; true if motion begins or ends.</summary>
        public bool Note(bool isSeen, TimeSpan now, TimeSpan holdFor)
        {
            _history = ((_history << 1) | (isSeen ? 1u : 0)) & ((1u << RememberedPictures) - 1);
            var isConfirmed = System.Numerics.BitOperations.PopCount(_history) >= NeededPictures;
            if (isConfirmed && isSeen) _lastMotion = now;
            var was = IsMoving;
            IsMoving = isConfirmed || (IsMoving && now >= _lastMotion && now - _lastMotion < holdFor);
            return IsMoving != was;
        }
    }
}
