namespace Agent.Interop.LibAv;

/// <summary>Converts frames between pixel formats with libswscale. Used by one thread.</summary>
public sealed unsafe class SwsConverter : IDisposable
{
    private nint _context;

    /// <summary>Converts a frame into another, which must have writable planes; sizes may differ.</summary>
    /// <exception cref="LibAvException">libswscale knows no way between the two formats.</exception>
    public void Convert(LibAvFrame source, LibAvFrame destination)
    {
        _context = NativeMethods.sws_getCachedContext(
            _context, source.Width, source.Height, (int)source.Format, destination.Width, destination.Height, (int)destination.Format,
            Constants.SWS_FAST_BILINEAR, 0, 0, 0);
        if (_context == 0) throw new LibAvException($"sws_getCachedContext({source.Format} to {destination.Format})", Constants.AVERROR_EINVAL);
        var from = (AVFrame*)source.Handle;
        var to = (AVFrame*)destination.Handle;
        LibAvException.Check(
            NativeMethods.sws_scale(_context, &from->data, from->linesize, 0, source.Height, &to->data, to->linesize), nameof(NativeMethods.sws_scale));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMethods.sws_freeContext(_context);
        _context = 0;
    }
}
