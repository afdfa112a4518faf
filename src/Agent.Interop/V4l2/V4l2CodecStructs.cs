using System.Runtime.InteropServices;

namespace Agent.Interop.V4l2;

// The structures of linux/videodev2.h that memory-to-memory devices and DMABUF need beside those in V4l2Structs.cs.

public unsafe struct v4l2_exportbuffer
{
    public uint type;
    public uint index;
    public uint plane;
    public uint flags;
    public int fd;
    public fixed uint reserved[11];
}

public struct v4l2_rect
{
    public int left;
    public int top;
    public uint width;
    public uint height;
}

public unsafe struct v4l2_selection
{
    public uint type;
    public uint target;
    public uint flags;
    public v4l2_rect r;
    public fixed uint reserved[9];
}

public unsafe struct v4l2_outputparm
{
    public uint capability;
    public uint outputmode;
    public v4l2_fract timeperframe;
    public uint extendedmode;
    public uint writebuffers;
    public fixed uint reserved[4];
}

[StructLayout(LayoutKind.Sequential, Size = 40)]
public struct v4l2_encoder_cmd
{
    public uint cmd;
    public uint flags;
}

public unsafe struct v4l2_event_subscription
{
    public uint type;
    public uint id;
    public uint flags;
    public fixed uint reserved[5];
}

/// <summary>Its union u, which is aligned to 8 bytes, is left out: an end of stream has no data.</summary>
[StructLayout(LayoutKind.Explicit, Size = 136)]
public struct v4l2_event
{
    [FieldOffset(0)] public uint type;
    [FieldOffset(72)] public uint pending;
    [FieldOffset(76)] public uint sequence;
    [FieldOffset(96)] public uint id;
}
