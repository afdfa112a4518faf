using System.Buffers.Text;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Agent.Devices.Sensors;

/// <summary>An attribute that is read again and again: it stays open, and each read from its start has the driver measure anew.</summary>
internal sealed class SysfsAttribute(string path) : IDisposable
{
    /// <summary>What an attribute holds at most: a page (kernel document filesystems/sysfs).</summary>
    internal const int MaximumLength = 4096;

    /// <summary>More of a text that is wrong helps nobody.</summary>
    private const int QuotedLength = 40;

    private readonly byte[] _buffer = new byte[MaximumLength];
    private SafeFileHandle? _file;

    public string Path => path;

    /// <summary>Reads it as text without white space around.</summary>
    /// <param name="text">Valid until the next read.</param>
    /// <param name="failure">Why not, if the result is false; the file is closed then.</param>
    public bool TryRead(out ReadOnlySpan<byte> text, out SensorReading failure)
    {
        try
        {
            _file ??= File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            text = _buffer.AsSpan(0, RandomAccess.Read(_file, _buffer, 0)).Trim(" \t\r\n\0"u8);
            failure = default;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Dispose();
            var explained = SysfsException.Of("read", path, e);
            text = default;
            failure = SensorReading.Failed(explained.Message, explained.ErrorNumber);
            return false;
        }
    }

    /// <summary>Reads it as a number, the only thing in it.</summary>
    public bool TryReadNumber(out double value, out SensorReading failure)
    {
        value = double.NaN;
        if (!TryRead(out var text, out failure)) return false;
        if (TryParseNumber(text, out value)) return true;
        failure = SensorReading.Failed($"{path} holds no number but \"{Quote(text)}\"");
        return false;
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }

    internal static bool TryParseNumber(ReadOnlySpan<byte> text, out double value) =>
        Utf8Parser.TryParse(text, out value, out var length) && length == text.Length && double.IsFinite(value);

    internal static string Quote(ReadOnlySpan<byte> text) =>
        string.Concat(Encoding.Latin1.GetString(text[..Math.Min(text.Length, QuotedLength)]).Select(c => char.IsAscii(c) && !char.IsControl(c) ? c : '?'));
}
