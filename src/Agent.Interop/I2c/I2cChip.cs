using System.Runtime.InteropServices;
using Agent.Interop.Libc;

namespace Agent.Interop.I2c;

/// <summary>A chip on an I2C bus, as far as its driver needs it.</summary>
public interface II2cChip : IDisposable
{
    /// <summary>Writes, then reads after a repeated start; either may be empty. Returns 0 or the errno.</summary>
    int Transfer(ReadOnlySpan<byte> write, Span<byte> read);
}

/// <summary>A chip reached through /dev/i2c-N (kernel document i2c/dev-interface). One thread's.</summary>
public sealed unsafe class I2cChip : II2cChip
{
    private readonly FileDescriptor descriptor;
    private readonly ushort address;

    private I2cChip(int descriptor, int address) => (this.descriptor, this.address) = (new FileDescriptor(descriptor), (ushort)address);

    /// <summary>Opens the bus for a chip that no kernel driver has.</summary>
    /// <param name="path">The bus: /dev/i2c-1.</param>
    /// <param name="address">The chip's 7 bits.</param>
    /// <param name="errno">
    /// 0, or why not: that of open(2); EBUSY if a kernel driver has the chip; EOPNOTSUPP if the adapter does no plain I2C transfers.
    /// </param>
    public static I2cChip? TryOpen(string path, int address, out int errno)
    {
        var opened = Syscalls.open(path, Syscalls.O_RDWR | SpawnFunctions.O_CLOEXEC);
        errno = opened < 0 ? Marshal.GetLastPInvokeError() : 0;
        if (errno != 0) return null;
        var chip = new I2cChip(opened, address);
        errno = chip.CheckAdapter();
        if (errno == 0) errno = chip.Claim();
        if (errno == 0) return chip;
        chip.Dispose();
        return null;
    }

    public int Transfer(ReadOnlySpan<byte> write, Span<byte> read)
    {
        // A kernel driver may have taken the chip since.
        var claimed = Claim();
        if (claimed != 0) return claimed;
        fixed (byte* written = write, answer = read)
        {
            var messages = stackalloc i2c_msg[2];
            var count = 0u;
            if (!write.IsEmpty) messages[count++] = new i2c_msg { addr = address, len = checked((ushort)write.Length), buf = written };
            if (!read.IsEmpty) messages[count++] = new i2c_msg { addr = address, flags = I2cDev.I2C_M_RD, len = checked((ushort)read.Length), buf = answer };
            var transfer = new i2c_rdwr_ioctl_data { msgs = messages, nmsgs = count };
            return Syscalls.Ioctl(descriptor, I2cDev.I2C_RDWR, ref transfer);
        }
    }

    public void Dispose() => descriptor.Dispose();

    /// <summary>I2C_RDWR would go past a kernel driver without a word; I2C_SLAVE, whose argument is the address itself, says EBUSY if there is one.</summary>
    private int Claim() => Syscalls.ioctl(descriptor, I2cDev.I2C_SLAVE, (void*)address) < 0 ? Marshal.GetLastPInvokeError() : 0;

    private int CheckAdapter()
    {
        var functions = (nuint)0;
        var errno = Syscalls.Ioctl(descriptor, I2cDev.I2C_FUNCS, ref functions);
        if (errno != 0) return errno;
        return (functions & (nuint)I2cDev.I2C_FUNC_I2C) == 0 ? Errno.EOPNOTSUPP : 0;
    }
}
