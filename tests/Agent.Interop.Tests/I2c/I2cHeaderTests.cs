using System.Runtime.InteropServices;
using Agent.Interop.I2c;
using Agent.Interop.Libc;

namespace Agent.Interop.Tests.I2c;

public sealed class I2cHeaderTests
{
    [Fact]
    public void Structures_and_constants_are_those_of_the_headers()
    {
        var expected = new Dictionary<string, long>
        {
            ["I2C_SLAVE"] = I2cDev.I2C_SLAVE, ["I2C_FUNCS"] = I2cDev.I2C_FUNCS, ["I2C_RDWR"] = I2cDev.I2C_RDWR, ["I2C_M_RD"] = I2cDev.I2C_M_RD,
            ["I2C_FUNC_I2C"] = (long)I2cDev.I2C_FUNC_I2C,
            ["sizeof(struct i2c_msg)"] = Marshal.SizeOf<i2c_msg>(),
            ["offsetof(struct i2c_msg, addr)"] = Marshal.OffsetOf<i2c_msg>(nameof(i2c_msg.addr)),
            ["offsetof(struct i2c_msg, flags)"] = Marshal.OffsetOf<i2c_msg>(nameof(i2c_msg.flags)),
            ["offsetof(struct i2c_msg, len)"] = Marshal.OffsetOf<i2c_msg>(nameof(i2c_msg.len)),
            ["offsetof(struct i2c_msg, buf)"] = Marshal.OffsetOf<i2c_msg>(nameof(i2c_msg.buf)),
            ["sizeof(struct i2c_rdwr_ioctl_data)"] = Marshal.SizeOf<i2c_rdwr_ioctl_data>(),
            ["offsetof(struct i2c_rdwr_ioctl_data, msgs)"] = Marshal.OffsetOf<i2c_rdwr_ioctl_data>(nameof(i2c_rdwr_ioctl_data.msgs)),
            ["offsetof(struct i2c_rdwr_ioctl_data, nmsgs)"] = Marshal.OffsetOf<i2c_rdwr_ioctl_data>(nameof(i2c_rdwr_ioctl_data.nmsgs)),
        };
        Assert.Equal(expected, CHeaders.Ask("#include <linux/i2c.h>\n#include <linux/i2c-dev.h>\n", [.. expected.Keys]));
    }

    [Theory]
    [InlineData("/dev/i2c-999", Errno.ENOENT)]
    [InlineData("/dev/null", 25)]
    public void What_is_no_bus_is_told_by_its_errno(string path, int expected)
    {
        Assert.Null(I2cChip.TryOpen(path, 0x76, out var errno));
        Assert.Equal(expected, errno);
    }
}
