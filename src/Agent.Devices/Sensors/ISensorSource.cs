using Agent.Interop.Libc;

namespace Agent.Devices.Sensors;

/// <summary>A measured value, or why there is none.</summary>
/// <param name="Value">In its quantity's unit; not a number if there is none.</param>
/// <param name="Problem">In words, with the mend; <c>null</c> for a value.</param>
/// <param name="IsAbsent">Whether nothing is there, so that trying again at once is of no use.</param>
public readonly record struct SensorReading(double Value, string? Problem, bool IsAbsent)
{
    public static SensorReading Of(double value) => new(value, null, false);

    public static SensorReading Failed(string problem) => new(double.NaN, problem, false);

    public static SensorReading Absent(string problem) => new(double.NaN, problem, true);

    /// <summary>
    /// By errno: the file or its device is gone, or nothing on the bus acknowledges the address (kernel document i2c/fault-codes).
    /// </summary>
    public static SensorReading Failed(string problem, int errno) =>
        new(double.NaN, problem, errno is Errno.ENOENT or Errno.ENODEV or Errno.ENXIO or Errno.EREMOTEIO);
}

/// <summary>Something that can be read. One thread's at a time; a call may take as long as its driver does.</summary>
public interface ISensorSource : IDisposable
{
    /// <summary>Reads it now. What a failure has closed is opened again by the next call; allocates nothing while all is well.</summary>
    SensorReading Read();
}
