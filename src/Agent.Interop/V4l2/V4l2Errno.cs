namespace Agent.Interop.V4l2;

/// <summary>Values of errno that tell apart what is wrong with a V4L2 device (asm-generic/errno.h).</summary>
public static class V4l2Errno
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int EIO = 5;
    public const int ENXIO = 6;
    public const int EAGAIN = 11;
    public const int EACCES = 13;
    public const int EBUSY = 16;
    public const int ENODEV = 19;
    public const int EINVAL = 22;
    public const int ENOTTY = 25;
    public const int EPIPE = 32;
    public const int ERANGE = 34;
    public const int ENOLCK = 37;
    public const int ENOLINK = 67;
}
