using Agent.Rtc.Srtp;

namespace Agent.Rtc.Tests.Srtp;

/// <summary>The vectors of RFC 3711 appendix B and RFC 7714 §16 and §17 (for AES-128; see Vectors/README.md).</summary>
public sealed class RfcVectorTests
{
    private const string MasterKey = "E1F97A0D3E018BE0D64FA32C06DE4139";
    private const string MasterSalt = "0EC675AD498AFEEBB6960B3AABE6";
    private const string GcmKey = "000102030405060708090a0b0c0d0e0f";
    private const string GcmSalt = "517569642070726f2071756f";
    private const string GcmRtp = "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573";
    private const string GcmSrtp =
        "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce";
    private const string GcmRtcp =
        "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";
    private const string GcmSrtcp =
        "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4";
    private const string GcmSrtcpTaggedOnly =
        "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef841dd9683dd78ec92ae58790125f62b3000005d4";

    [Theory]
    [InlineData(0, "C61E7A93744F39EE10734AFE3FF7A087")]
    [InlineData(2, "30CBBC08863D8C85D49DB34A9AE1")]
    [InlineData(
        1,
        "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF7227098"
        + "6371C10C9A369AC2F94A8C5FBCDDDC256D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2")]
    public void Session_keys_are_those_of_RFC_3711_B3(byte label, string expected)
    {
        var key = new byte[expected.Length / 2];

        SrtpKeyDerivation.Derive(Convert.FromHexString(MasterKey), Convert.FromHexString(MasterSalt), label, key);

        Assert.Equal(expected, Convert.ToHexString(key));
    }

    [Fact]
    public void Keystream_of_a_megabyte_is_that_of_RFC_3711_B2()
    {
        const int Length = 1_044_512;
        var data = new byte[Length];
        var iv = UInt128.Parse("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000", System.Globalization.NumberStyles.HexNumber);
        using var aes = new AesCounterMode(Convert.FromHexString("2B7E151628AED2A6ABF7158809CF4F3C"));

        aes.Apply(iv, data);

        Assert.Equal(
            "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0",
            Convert.ToHexString(data, 0, 48));
        Assert.Equal(
            "EC8CDF7398607CB0F2D21675EA9EA1E4362B7C3C6773516318A077D7FC5073AE6A2CC3787889374FBEB4C81B17BA6C44",
            Convert.ToHexString(data, Length - 48, 48));
    }

    [Fact]
    public void Rtp_is_encrypted_as_in_RFC_7714_16_1_1()
    {
        using var context = MakeGcmContext();

        Assert.Equal(GcmSrtp, Convert.ToHexStringLower(SrtpPackets.ProtectRtp(context, Convert.FromHexString(GcmRtp))));
    }

    [Fact]
    public void Rtp_is_decrypted_as_in_RFC_7714_16_1_2()
    {
        using var context = MakeGcmContext();

        Assert.Equal(GcmRtp, Convert.ToHexStringLower(SrtpPackets.UnprotectRtp(context, Convert.FromHexString(GcmSrtp))!));
    }

    [Fact]
    public void Rtcp_is_encrypted_and_decrypted_as_in_RFC_7714_17_1()
    {
        using var cipher = new AeadAesGcmCipher(Convert.FromHexString(GcmKey), Convert.FromHexString(GcmSalt), authenticateTrailer: true);
        var packet = Convert.FromHexString(GcmRtcp);
        var tag = new byte[cipher.TagLength];

        cipher.Protect(packet.AsSpan(0, 8), packet.AsSpan(8), Convert.FromHexString("800005d4"), 0x4d61_7273, 0x5d4, tag);

        Assert.Equal(GcmSrtcp, Convert.ToHexStringLower(packet) + Convert.ToHexStringLower(tag) + "800005d4");
        using var context = MakeGcmContext();
        Assert.Equal(GcmRtcp, Convert.ToHexStringLower(SrtpPackets.UnprotectRtcp(context, Convert.FromHexString(GcmSrtcp))!));
    }

    [Fact]
    public void Rtcp_of_RFC_7714_17_3_is_refused_because_it_is_not_encrypted()
    {
        using var context = MakeGcmContext();

        Assert.Null(SrtpPackets.UnprotectRtcp(context, Convert.FromHexString(GcmSrtcpTaggedOnly)));
    }

    /// <summary>The RFC gives session keys, so the derivation is left out.</summary>
    private static SrtpContext MakeGcmContext()
    {
        var key = Convert.FromHexString(GcmKey);
        var salt = Convert.FromHexString(GcmSalt);
        return new SrtpContext(new AeadAesGcmCipher(key, salt, authenticateTrailer: false), new AeadAesGcmCipher(key, salt, authenticateTrailer: true));
    }
}
