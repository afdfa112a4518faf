namespace CameraCheck;

/// <summary>Prints test results in the Test Anything Protocol.</summary>
internal static class Tap
{
    public static int Failures { get; private set; }

    public static void Check(bool holds, string what, string otherwise = "")
    {
        Console.WriteLine(holds ? $"ok - {what}" : $"not ok - {what}: {otherwise}");
        Failures += holds ? 0 : 1;
    }

    public static void Note(string text) => Console.WriteLine($"# {text}");
}
