using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static Agent.Interop.Gpio.GpioUapi;

namespace Agent.Interop.Gpio;

// The structures of linux/gpio.h, field for field. GpioLayoutTests compares every size and offset with the system's header.

internal unsafe struct gpiochip_info
{
    public fixed byte name[GPIO_MAX_NAME_SIZE];
    public fixed byte label[GPIO_MAX_NAME_SIZE];
    public uint lines;
}

internal struct gpio_v2_line_values
{
    public ulong bits;
    public ulong mask;
}

[StructLayout(LayoutKind.Explicit)]
internal struct gpio_v2_line_attribute
{
    [FieldOffset(0)] public uint id;
    [FieldOffset(4)] public uint padding;
    [FieldOffset(8)] public ulong flags;
    [FieldOffset(8)] public ulong values;
    [FieldOffset(8)] public uint debounce_period_us;
}

internal struct gpio_v2_line_config_attribute
{
    public gpio_v2_line_attribute attr;
    public ulong mask;
}

internal unsafe struct gpio_v2_line_config
{
    public ulong flags;
    public uint num_attrs;
    public fixed uint padding[5];
    public Attributes attrs;

    [InlineArray(GPIO_V2_LINE_NUM_ATTRS_MAX)]
    internal struct Attributes
    {
        private gpio_v2_line_config_attribute _first;
    }
}

internal unsafe struct gpio_v2_line_request
{
    public fixed uint offsets[GPIO_V2_LINES_MAX];
    public fixed byte consumer[GPIO_MAX_NAME_SIZE];
    public gpio_v2_line_config config;
    public uint num_lines;
    public uint event_buffer_size;
    public fixed uint padding[5];
    public int fd;
}

internal unsafe struct gpio_v2_line_info
{
    public fixed byte name[GPIO_MAX_NAME_SIZE];
    public fixed byte consumer[GPIO_MAX_NAME_SIZE];
    public uint offset;
    public uint num_attrs;
    public ulong flags;
    public Attributes attrs;
    public fixed uint padding[4];

    [InlineArray(GPIO_V2_LINE_NUM_ATTRS_MAX)]
    internal struct Attributes
    {
        private gpio_v2_line_attribute _first;
    }
}

internal unsafe struct gpio_v2_line_event
{
    public ulong timestamp_ns;
    public uint id;
    public uint offset;
    public uint seqno;
    public uint line_seqno;
    public fixed uint padding[6];
}
