using Agent.Interop.Gpio;

namespace Agent.Interop.Tests.Gpio;

public sealed class GpioLayoutTests
{
    private const string Headers = """
        #include <stddef.h>
        #include <linux/gpio.h>

        """;

    [Theory]
    [InlineData("gcc")]
    [InlineData("aarch64-linux-gnu-gcc")]
    public void Constants_and_structures_are_those_of_the_header(string compiler)
    {
        var constants = CLayout.Constants(typeof(GpioUapi)).ToList();
        var structures = typeof(GpioUapi).Assembly.GetTypes()
            .Where(type => type.Namespace == typeof(GpioUapi).Namespace && !type.IsNested && type.Name.StartsWith("gpio", StringComparison.Ordinal))
            .SelectMany(CLayout.Structure).ToList();
        Assert.True(constants.Count > 20, $"only {constants.Count} constants found");
        Assert.True(structures.Count > 60, $"only {structures.Count} fields found");

        Assert.Equal("", CLayout.Compile(compiler, Headers + string.Join('\n', constants.Concat(structures)) + "\n"));
    }

    [Fact]
    public void A_node_that_is_no_chip_is_refused_with_the_errno()
    {
        Assert.Null(GpioChip.TryOpen("/dev/there-is-no-such-chip", out var errno));
        Assert.Equal(2, errno);

        using var other = GpioChip.TryOpen("/dev/null", out errno)!;
        Assert.Equal(25, other.GetInfo(out _));
    }
}
