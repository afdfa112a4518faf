using Agent.Interop.TurboJpeg;

namespace Agent.Interop.Tests.TurboJpeg;

/// <summary>The C compiler says what the installed header defines.</summary>
public sealed class TurboJpegHeaderTests
{
    [Fact]
    public void Every_constant_used_is_that_of_the_installed_header()
    {
        var declared = new Dictionary<string, long>
        {
            ["TJFLAG_NOREALLOC"] = LibTurboJpeg.TJFLAG_NOREALLOC,
            ["TJFLAG_FASTDCT"] = LibTurboJpeg.TJFLAG_FASTDCT,
            ["TJFLAG_STOPONWARNING"] = LibTurboJpeg.TJFLAG_STOPONWARNING,
            ["TJPF_RGB"] = LibTurboJpeg.TJPF_RGB,
            ["TJPF_GRAY"] = LibTurboJpeg.TJPF_GRAY,
            ["TJSAMP_444"] = (long)JpegSubsampling.S444,
            ["TJSAMP_422"] = (long)JpegSubsampling.S422,
            ["TJSAMP_420"] = (long)JpegSubsampling.S420,
            ["TJSAMP_GRAY"] = (long)JpegSubsampling.Gray,
            ["TJSAMP_440"] = (long)JpegSubsampling.S440,
            ["TJSAMP_411"] = (long)JpegSubsampling.S411,
            ["sizeof(unsigned long)"] = 8,
        };
        Assert.Equal(declared, CHeaders.Ask("#include <turbojpeg.h>\n", [.. declared.Keys]));
    }
}
