using Agent.Devices.Sources;
using Agent.Interop.V4l2;

namespace Agent.Devices.Tests.V4l2;

public sealed class UvcDescriptorsTests
{
    /// <summary>A device with a microphone, a control interface with two extension units, and a streaming interface.</summary>
    private static readonly byte[] Descriptors =
    [
        18, 1, 0x00, 0x02, 0xef, 2, 1, 64, 0x6d, 0x04, 0x25, 0x08, 0x12, 0x00, 1, 2, 3, 1,
        9, 2, 0, 0, 3, 1, 0, 0x80, 250,
        9, 4, 0, 0, 0, 1, 1, 0, 0,
        .. ExtensionUnit(9, UvcH264.GuidUvcxH264Xu), // not in a VideoControl interface
        9, 4, 1, 0, 0, 14, 1, 0, 0,
        .. ExtensionUnit(5, new byte[16]),
        .. ExtensionUnit(12, UvcH264.GuidUvcxH264Xu),
        9, 4, 2, 0, 0, 14, 2, 0, 0,
        11, 0x24, 6, 1, 2, 0, 1, 0, 0, 0, 0, // VS_FORMAT_MJPEG has the number of an extension unit
    ];

    [Fact]
    public void The_unit_is_found_in_its_control_interface()
    {
        Assert.True(UvcDescriptors.TryFindExtensionUnit(Descriptors, 1, UvcH264.GuidUvcxH264Xu, out var unit));
        Assert.Equal(12, unit);
        Assert.False(UvcDescriptors.TryFindExtensionUnit(Descriptors, 0, UvcH264.GuidUvcxH264Xu, out _));
        Assert.False(UvcDescriptors.TryFindExtensionUnit(Descriptors, 2, UvcH264.GuidUvcxH264Xu, out _));
    }

    [Fact]
    public void Truncated_descriptors_hold_no_unit()
    {
        var end = Descriptors.Length - 11 - 9;
        for (var length = 0; length < end; length++)
        {
            Assert.False(UvcDescriptors.TryFindExtensionUnit(Descriptors.AsSpan(0, length), 1, UvcH264.GuidUvcxH264Xu, out _));
        }

        Assert.True(UvcDescriptors.TryFindExtensionUnit(Descriptors.AsSpan(0, end), 1, UvcH264.GuidUvcxH264Xu, out _));
    }

    [Fact]
    public void A_descriptor_without_a_length_ends_the_search() =>
        Assert.False(UvcDescriptors.TryFindExtensionUnit([0, 0, .. Descriptors], 1, UvcH264.GuidUvcxH264Xu, out _));

    private static byte[] ExtensionUnit(byte id, ReadOnlySpan<byte> guid) => [26, 0x24, 6, id, .. guid, 2, 1, 2, 1, 1, 0];
}
