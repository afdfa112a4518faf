namespace Agent.Interop.V4l2;

/// <summary>Constants of linux/uvcvideo.h, linux/usb/video.h and linux/usb/ch9.h, checked by V4l2LayoutTests.</summary>
public static class Uvcvideo
{
    public const uint UVCIOC_CTRL_QUERY = 0xc0107521;
    public const byte UVC_SET_CUR = 0x01;
    public const byte UVC_GET_CUR = 0x81;
    public const byte UVC_GET_INFO = 0x86;
    public const byte UVC_CONTROL_CAP_SET = 1 << 1;
    public const byte UVC_VC_EXTENSION_UNIT = 0x06;
    public const byte UVC_SC_VIDEOCONTROL = 0x01;
    public const byte USB_DT_INTERFACE = 0x04;
    public const byte USB_DT_CS_INTERFACE = 0x24;
    public const byte USB_CLASS_VIDEO = 0x0e;
}

public unsafe struct uvc_xu_control_query
{
    public byte unit;
    public byte selector;
    public byte query;
    public ushort size;
    public byte* data;
}
