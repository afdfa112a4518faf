using static Agent.Interop.V4l2.Uvcvideo;

namespace Agent.Devices.Sources;

/// <summary>Reads the descriptors of a USB video device, as sysfs gives them: device and configurations, one after the other.</summary>
internal static class UvcDescriptors
{
    // USB 2.0 §9.6.5: bLength, bDescriptorType, bInterfaceNumber, bAlternateSetting, bNumEndpoints, bInterfaceClass, bInterfaceSubClass.
    private const int InterfaceNumber = 2;
    private const int InterfaceClass = 5;
    private const int InterfaceSubClass = 6;

    // USB Video Class 1.1 §3.7.2.6: bLength, bDescriptorType, bDescriptorSubtype, bUnitID, guidExtensionCode.
    private const int Subtype = 2;
    private const int UnitId = 3;
    private const int Guid = 4;
    private const int GuidLength = 16;

    /// <summary>False if the VideoControl interface of this number has no extension unit of this kind.</summary>
    public static bool TryFindExtensionUnit(ReadOnlySpan<byte> descriptors, int interfaceNumber, ReadOnlySpan<byte> guid, out byte unit)
    {
        unit = 0;
        var isInside = false;
        while (descriptors.Length >= 2 && descriptors[0] is >= 2 and var length && length <= descriptors.Length)
        {
            var descriptor = descriptors[..length];
            descriptors = descriptors[length..];
            if (descriptor[1] == USB_DT_INTERFACE && length > InterfaceSubClass)
            {
                isInside = descriptor[InterfaceNumber] == interfaceNumber
                    && (descriptor[InterfaceClass], descriptor[InterfaceSubClass]) == (USB_CLASS_VIDEO, UVC_SC_VIDEOCONTROL);
            }
            else if (isInside && descriptor[1] == USB_DT_CS_INTERFACE && length >= Guid + GuidLength
                && descriptor[Subtype] == UVC_VC_EXTENSION_UNIT && descriptor.Slice(Guid, GuidLength).SequenceEqual(guid))
            {
                unit = descriptor[UnitId];
                return true;
            }
        }

        return false;
    }
}
