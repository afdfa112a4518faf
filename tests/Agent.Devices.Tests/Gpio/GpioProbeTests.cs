using Agent.Devices.Probe;
using Agent.Interop.Libc;

namespace Agent.Devices.Tests.Gpio;

public sealed class GpioProbeTests
{
    [Fact]
    public void Chips_are_listed_once_with_their_lines_and_who_uses_them_and_those_that_cannot_be_opened_with_the_reason()
    {
        var kernel = new FakeGpioKernel().Plug("/dev/gpiochip0", "pinctrl", "GPIO17", "LED", "").Plug("/dev/gpiochip1", "secret", "A0");
        kernel.Links["/dev/gpiochip4"] = "/dev/gpiochip0";
        kernel.Plug("/dev/gpiochip4", "pinctrl", "GPIO17", "LED", "");
        kernel.Refusals["/dev/gpiochip1"] = Errno.EACCES;
        kernel["LED"].Consumer = "led0";
        kernel["GPIO17"].Request();

        var chips = GpioProbe.Enumerate(kernel);

        Assert.Equal(
            ["/dev/gpiochip0 pinctrl ", "/dev/gpiochip1  permission denied: add the user to group gpio, as docs/gpio.md says"], chips.Select(chip => $"{chip.Path} {chip.Label} {chip.Problem}"));
        Assert.Equal([new GpioLineReport(0, "GPIO17", "kernel"), new GpioLineReport(1, "LED", "led0"), new GpioLineReport(2, "", null)], chips[0].Lines);
    }
}
