using System.Runtime.InteropServices;

namespace Agent.Interop.I2c;

/// <summary>Constants of linux/i2c-dev.h and linux/i2c.h.</summary>
internal static class I2cDev
{
    public const uint I2C_SLAVE = 0x0703;
    public const uint I2C_FUNCS = 0x0705;
    public const uint I2C_RDWR = 0x0707;
    public const ushort I2C_M_RD = 0x0001;
    public const ulong I2C_FUNC_I2C = 0x00000001;
}

/// <summary>linux/i2c.h: one message of a transfer.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct i2c_msg
{
    public ushort addr;
    public ushort flags;
    public ushort len;
    public byte* buf;
}

/// <summary>linux/i2c-dev.h: the argument of I2C_RDWR.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct i2c_rdwr_ioctl_data
{
    public i2c_msg* msgs;
    public uint nmsgs;
}
