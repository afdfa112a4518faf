namespace Agent.Interop.V4l2;

// As V4l2Structs.cs: what arrives at digital inputs.

public unsafe struct v4l2_input
{
    public uint index;
    public fixed byte name[32];
    public uint type;
    public uint audioset;
    public uint tuner;
    public ulong std;
    public uint status;
    public uint capabilities;
    public fixed uint reserved[3];
}

/// <summary>Handed back as it came; its timings are the driver's business.</summary>
public unsafe struct v4l2_dv_timings
{
    public uint type;
    public fixed uint reserved[32];
}
