using static Agent.Interop.Gpio.GpioUapi;

namespace Agent.Interop.Gpio;

/// <summary>Which way a line is used.</summary>
public enum GpioDirection
{
    /// <summary>As it is: its level is read and nothing about it changes.</summary>
    AsIs,
    /// <summary>An input whose changes are reported.</summary>
    Input,
    Output,
}

/// <summary>What pulls a line that nobody drives.</summary>
public enum GpioBias
{
    /// <summary>Whatever it was.</summary>
    AsIs,
    PullUp,
    PullDown,
    Disabled,
}

/// <summary>Which levels an output drives; the other is left to a resistor.</summary>
public enum GpioDrive
{
    PushPull,
    /// <summary>Low only.</summary>
    OpenDrain,
    /// <summary>High only.</summary>
    OpenSource,
}

/// <summary>How a line is to be used.</summary>
public readonly record struct GpioLineSettings(GpioDirection Direction)
{
    public bool IsActiveLow { get; init; }

    /// <summary>Of inputs and outputs.</summary>
    public GpioBias Bias { get; init; }

    /// <summary>Of outputs.</summary>
    public GpioDrive Drive { get; init; }

    /// <summary>Of inputs: a level is reported once it has lasted for this long; to microseconds.</summary>
    public TimeSpan Debounce { get; init; }

    /// <summary>What an output becomes, at once and without anything in between.</summary>
    public bool IsActive { get; init; }

    internal gpio_v2_line_config ToConfig()
    {
        var config = new gpio_v2_line_config
        {
            flags = (IsActiveLow ? GPIO_V2_LINE_FLAG_ACTIVE_LOW : 0) | Direction switch
            {
                GpioDirection.Input => GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING,
                GpioDirection.Output => GPIO_V2_LINE_FLAG_OUTPUT,
                _ => 0,
            },
        };
        // The kernel refuses these for lines without a direction.
        if (Direction == GpioDirection.AsIs) return config;
        config.flags |= Bias switch
        {
            GpioBias.PullUp => GPIO_V2_LINE_FLAG_BIAS_PULL_UP,
            GpioBias.PullDown => GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN,
            GpioBias.Disabled => GPIO_V2_LINE_FLAG_BIAS_DISABLED,
            _ => 0,
        };
        if (Direction == GpioDirection.Input)
        {
            if (Debounce > TimeSpan.Zero) Add(new() { id = GPIO_V2_LINE_ATTR_ID_DEBOUNCE, debounce_period_us = (uint)Debounce.TotalMicroseconds });
            return config;
        }
        config.flags |= Drive switch { GpioDrive.OpenDrain => GPIO_V2_LINE_FLAG_OPEN_DRAIN, GpioDrive.OpenSource => GPIO_V2_LINE_FLAG_OPEN_SOURCE, _ => 0 };
        Add(new() { id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES, values = IsActive ? GpioLine.Only : 0 });
        return config;

        void Add(gpio_v2_line_attribute attribute) => config.attrs[(int)config.num_attrs++] = new() { attr = attribute, mask = GpioLine.Only };
    }
}
