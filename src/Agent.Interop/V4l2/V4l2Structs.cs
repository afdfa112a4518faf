using System.Runtime.InteropServices;

namespace Agent.Interop.V4l2;

// The structures of linux/videodev2.h on 64-bit Linux, field for field; unions are nested structures whose members overlap.
// V4l2LayoutTests compares every size and offset with the system's header.

public unsafe struct v4l2_capability
{
    public fixed byte driver[16];
    public fixed byte card[32];
    public fixed byte bus_info[32];
    public uint version;
    public uint capabilities;
    public uint device_caps;
    public fixed uint reserved[3];
}

public unsafe struct v4l2_fmtdesc
{
    public uint index;
    public uint type;
    public uint flags;
    public fixed byte description[32];
    public uint pixelformat;
    public uint mbus_code;
    public fixed uint reserved[3];
}

public struct v4l2_fract
{
    public uint numerator;
    public uint denominator;
}

public struct v4l2_frmsize_discrete
{
    public uint width;
    public uint height;
}

public struct v4l2_frmsize_stepwise
{
    public uint min_width;
    public uint max_width;
    public uint step_width;
    public uint min_height;
    public uint max_height;
    public uint step_height;
}

[StructLayout(LayoutKind.Explicit, Size = 44)]
public unsafe struct v4l2_frmsizeenum
{
    [FieldOffset(0)] public uint index;
    [FieldOffset(4)] public uint pixel_format;
    [FieldOffset(8)] public uint type;
    [FieldOffset(12)] public v4l2_frmsize_discrete discrete;
    [FieldOffset(12)] public v4l2_frmsize_stepwise stepwise;
    [FieldOffset(36)] public fixed uint reserved[2];
}

public struct v4l2_frmival_stepwise
{
    public v4l2_fract min;
    public v4l2_fract max;
    public v4l2_fract step;
}

[StructLayout(LayoutKind.Explicit, Size = 52)]
public unsafe struct v4l2_frmivalenum
{
    [FieldOffset(0)] public uint index;
    [FieldOffset(4)] public uint pixel_format;
    [FieldOffset(8)] public uint width;
    [FieldOffset(12)] public uint height;
    [FieldOffset(16)] public uint type;
    [FieldOffset(20)] public v4l2_fract discrete;
    [FieldOffset(20)] public v4l2_frmival_stepwise stepwise;
    [FieldOffset(44)] public fixed uint reserved[2];
}

public struct v4l2_pix_format
{
    public uint width;
    public uint height;
    public uint pixelformat;
    public uint field;
    public uint bytesperline;
    public uint sizeimage;
    public uint colorspace;
    public uint priv;
    public uint flags;
    public uint ycbcr_enc;
    public uint quantization;
    public uint xfer_func;
}

public unsafe struct v4l2_plane_pix_format
{
    public uint sizeimage;
    public uint bytesperline;
    public fixed ushort reserved[6];
}

public unsafe struct v4l2_pix_format_mplane
{
    public uint width;
    public uint height;
    public uint pixelformat;
    public uint field;
    public uint colorspace;
    public plane_fmt_array plane_fmt;
    public byte num_planes;
    public byte flags;
    public byte ycbcr_enc;
    public byte quantization;
    public byte xfer_func;
    public fixed byte reserved[7];

    [System.Runtime.CompilerServices.InlineArray((int)Videodev2.VIDEO_MAX_PLANES)]
    public struct plane_fmt_array
    {
        private v4l2_plane_pix_format element;
    }
}

[StructLayout(LayoutKind.Explicit, Size = 208)]
public struct v4l2_format
{
    [FieldOffset(0)] public uint type;
    [FieldOffset(8)] public fmt_union fmt;

    [StructLayout(LayoutKind.Explicit, Size = 200)]
    public struct fmt_union
    {
        [FieldOffset(0)] public v4l2_pix_format pix;
        [FieldOffset(0)] public v4l2_pix_format_mplane pix_mp;
    }
}

public unsafe struct v4l2_captureparm
{
    public uint capability;
    public uint capturemode;
    public v4l2_fract timeperframe;
    public uint extendedmode;
    public uint readbuffers;
    public fixed uint reserved[4];
}

public struct v4l2_streamparm
{
    public uint type;
    public parm_union parm;

    [StructLayout(LayoutKind.Explicit, Size = 200)]
    public struct parm_union
    {
        [FieldOffset(0)] public v4l2_captureparm capture;
        [FieldOffset(0)] public v4l2_outputparm output;
    }
}

public unsafe struct v4l2_requestbuffers
{
    public uint count;
    public uint type;
    public uint memory;
    public uint capabilities;
    public byte flags;
    public fixed byte reserved[3];
}

public unsafe struct v4l2_plane
{
    public uint bytesused;
    public uint length;
    public m_union m;
    public uint data_offset;
    public fixed uint reserved[11];

    [StructLayout(LayoutKind.Explicit, Size = 8)]
    public struct m_union
    {
        [FieldOffset(0)] public uint mem_offset;
        [FieldOffset(0)] public ulong userptr;
        [FieldOffset(0)] public int fd;
    }
}

/// <summary>struct timeval of sys/time.h; C# reserves its all-lower-case name.</summary>
public struct TimeVal
{
    public long tv_sec;
    public long tv_usec;
}

public unsafe struct v4l2_timecode
{
    public uint type;
    public uint flags;
    public byte frames;
    public byte seconds;
    public byte minutes;
    public byte hours;
    public fixed byte userbits[4];
}

public unsafe struct v4l2_buffer
{
    public uint index;
    public uint type;
    public uint bytesused;
    public uint flags;
    public uint field;
    public TimeVal timestamp;
    public v4l2_timecode timecode;
    public uint sequence;
    public uint memory;
    public m_union m;
    public uint length;
    public uint reserved2;
    public int request_fd;

    [StructLayout(LayoutKind.Explicit, Size = 8)]
    public struct m_union
    {
        [FieldOffset(0)] public uint offset;
        [FieldOffset(0)] public ulong userptr;
        [FieldOffset(0)] public v4l2_plane* planes;
        [FieldOffset(0)] public int fd;
    }
}

public unsafe struct v4l2_query_ext_ctrl
{
    public uint id;
    public uint type;
    public fixed byte name[32];
    public long minimum;
    public long maximum;
    public ulong step;
    public long default_value;
    public uint flags;
    public uint elem_size;
    public uint elems;
    public uint nr_of_dims;
    public fixed uint dims[4];
    public fixed uint reserved[32];
}

[StructLayout(LayoutKind.Explicit, Size = 44, Pack = 1)]
public unsafe struct v4l2_querymenu
{
    [FieldOffset(0)] public uint id;
    [FieldOffset(4)] public uint index;
    [FieldOffset(8)] public fixed byte name[32];
    [FieldOffset(8)] public long value;
    [FieldOffset(40)] public uint reserved;
}

[StructLayout(LayoutKind.Explicit, Size = 20, Pack = 1)]
public unsafe struct v4l2_ext_control
{
    [FieldOffset(0)] public uint id;
    [FieldOffset(4)] public uint size;
    [FieldOffset(8)] public fixed uint reserved2[1];
    [FieldOffset(12)] public int value;
    [FieldOffset(12)] public long value64;
    [FieldOffset(12)] public void* ptr;
}

public unsafe struct v4l2_ext_controls
{
    public uint which;
    public uint count;
    public uint error_idx;
    public int request_fd;
    public fixed uint reserved[1];
    public v4l2_ext_control* controls;
}
