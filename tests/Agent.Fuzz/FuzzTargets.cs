using System.Buffers.Binary;
using System.Text;
using Agent.Devices.Sensors;
using Agent.Devices.Sources;
using Agent.Interop.Libc;
using Agent.Interop.V4l2;
using Agent.Media.Notices;
using Agent.Media.Splitting;
using Agent.Media;
using Agent.Mqtt;
using Agent.Rtc.DataChannels;
using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;
using Agent.Rtc.Rtp;
using Agent.Rtc.Sctp;
using Agent.Rtc.Sdp;
using Agent.Rtc.Srtp;
using Agent.Rtc.Stun;
using Agent.Rtc.Turn;
using Agent.Rtc;

namespace Agent.Fuzz;

/// <summary>Every parser that reads bytes from the network or from an encoder.</summary>
internal static class FuzzTargets
{
    private const uint Ssrc = 0x01020304;

    private static readonly SdpAnswerOptions AnswerOptions = new(
        new IceCredentials("ufragufr", "passwordpasswordpassword"), new DtlsFingerprint("sha-256", new byte[32]), [], "42e01f", Ssrc, Ssrc + 1, "cname", "main");

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("stun", StunSeeds(), input =>
        {
            if (StunMessage.TryParse(input, out var message))
            {
                message.VerifyMessageIntegrity("VOkJxbRl1RmTxUk/WvJxBt"u8);
            }

            StunMessage.TryReadLocalUfrag(input, out _);
        }),
        new("turn", TurnSeeds(), FuzzTurn),
        new("turn-stream", TurnSeeds(), FuzzTurnStream),
        new("sdp-offer", Recorded("sdp/"), input => SdpNegotiation.TryAnswer(input, AnswerOptions, out _, out _)),
        new("sdp-answer", Recorded("sdp/"), input => SdpNegotiation.TryAcceptAnswer(input, "", AnswerOptions, out _, out _)),
        new("sdp-fragment", Texts(
            "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=video 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 2130706431 198.51.100.1 39132 typ host\r\na=end-of-candidates\r\n"),
            input => SdpNegotiation.TryParseTrickleFragment(input, out _, out _)),
        new("candidate", Texts("candidate:3393339970 1 udp 2113937151 ac590cda-736a-41f8-ae9d-a44dcc66a513.local 52321 typ host generation 0 network-cost 999",
            "a=candidate:2 1 udp 1694498815 192.0.2.3 45664 typ srflx raddr 10.0.1.1 rport 8998"), input => SdpNegotiation.TryParseCandidate(input, out _)),
        new("ice-server-link", Texts("<turn:turn.example.net?transport=udp>; rel=\"ice-server\"; username=\"us\\\"er\"; credential=pw; credential-type=\"password\", <stun:a>;rel=ice-server"),
            input => IceServerLink.TryParse(input, out _)),
        new("packet-framing", Hex("0003010203000001ff"), FuzzFraming),
        new("route-message", Hex("3400000014000000000000000000000" + "00a40c000030000001400010020010db800000000000000000000000708000800c0000000",
            "2000000010000000000000000000000000000100030000004310010000000000"), FuzzRoute),
        new("rtp", Hex("9060303900bc614e01020304bede00011030000041", "80e0000100000001010203047c8541"), input =>
        {
            RtpHeader.TryGetPayload(input, out _, out _);
            RtpHeader.TryGetExtension(input, 1, out _);
        }),
        new("rtcp", RtcpSeeds(), FuzzRtcp),
        new("sctp", SctpSeeds(), FuzzSctp),
        new("dcep", Hex("03810000000000000009000074656c656d65747279", "0300000000000000000200027631c3bc", "02"), input => DcepOpen.TryParse(input, out _)),
        new("srtp", Hex("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"), FuzzSrtp),
        new("sps", Hex("6742c01fda014016ec0440000003004000000c83c60c92", "6764001facd9405005bb016a02020280000003008000001e478c18cb"),
            input => SpsReader.TryRead(input, out _)),
        new("jpeg", Hex("ffd8ffffc0000b080010002001011100ffda0008010100003f000102ff00d9ffd003ffffc40003d9ffda0008010100003f0005ffd9"), FuzzJpeg),
        new("uvc-descriptors", Hex("12010002ef02014009120156000101020301" + "0904000000" + "0e010000" + "1a24060441769ea204dee3478b2bf4341aff003b01010100" + "00ff"),
            input => UvcDescriptors.TryFindExtensionUnit(input, 0, UvcH264.GuidUvcxH264Xu, out _)),
        new("w1-thermometer", Texts("72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125"), FuzzThermometer),
        new("access-units", AccessUnitSeeds(), FuzzSplitter),
        new("discovery", Texts("""{"dev":{"ids":["a"]},"o":{"name":"é"},"cmps":{"lamp":{"p":"light","avty":[{"t":"base/status"}]},"old":{"p":"switch"},"none":null}}"""),
            input => HomeAssistantDiscovery.TryReadRetained(input, out _)),
    ];

    /// <summary>As a stream, twice over and in pieces: every image that is cut out ends as one does.</summary>
    private static void FuzzJpeg(byte[] input)
    {
        var cutter = new JpegCutter(new VideoFormat(PixelFormat.Mjpg, 16, 16, 30, 1));
        byte[] stream = [.. input, .. input];
        for (var position = 0; position < stream.Length;)
        {
            var count = Math.Min(1 + position % 7, stream.Length - position);
            stream.AsSpan(position, count).CopyTo(cutter.Space);
            cutter.Advance(count, TimeSpan.Zero);
            position += count;
            while (cutter.TryTake() is { } image)
            {
                if (!image.GetPlane(0).EndsWith((ReadOnlySpan<byte>)[0xFF, 0xD9])) throw new InvalidOperationException("an image without its end");
                image.Dispose();
            }
        }
    }

    /// <summary>To a client that waits for the answer that the input is made into, and to one that has an allocation and a channel.</summary>
    private static void FuzzTurn(byte[] input)
    {
        var client = new TurnClient(false, "user", "password", SystemRandomSource.Instance);
        var request = new byte[1500];
        client.TryDequeueTransmit(request, MonotonicTime.Zero, out _);
        client.HandleMessage(input, MonotonicTime.Zero, out var relayed);
        if (input.Length >= 20)
        {
            request.AsSpan(8, 12).CopyTo(input.AsSpan(8));
            client.HandleMessage(input, MonotonicTime.Zero, out relayed);
        }

        if (relayed.Offset + relayed.Length > input.Length) throw new InvalidOperationException("data outside the message");
        while (client.TryDequeueTransmit(request, MonotonicTime.Zero, out _)) { }
    }

    private static void FuzzTurnStream(byte[] input)
    {
        var reader = new TurnStreamReader();
        byte[] stream = [.. input, .. input, .. input];
        for (var position = 0; position < stream.Length;)
        {
            var count = Math.Min(Math.Min(1 + position % 7, stream.Length - position), reader.Space.Length);
            stream.AsSpan(position, count).CopyTo(reader.Space);
            reader.Advance(count);
            position += count;
            while (true)
            {
                if (!reader.TryTake(out var message)) return;
                if (message.IsEmpty) break;
                FuzzTurn(message.ToArray());
            }
        }
    }

    private static void FuzzFraming(byte[] input)
    {
        var rest = input.AsSpan();
        while (PacketFraming.TryRead(rest, out _, out var consumed)) rest = rest[consumed..];
    }

    private static void FuzzRoute(byte[] input)
    {
        ReadOnlySpan<byte> rest = input;
        while (RouteMessage.TryRead(rest, out _, out var consumed)) rest = rest[consumed..];
    }

    private static void FuzzRtcp(byte[] input)
    {
        var options = new RtpVideoSenderOptions(Ssrc, Ssrc + 1, 96, 97, "cname", "0", new RtpExtensionIds { Mid = 4, TransportSequence = 5 }, true) { MaximumBitrate = 4_000_000 };
        new RtpVideoSender(options, SystemRandomSource.Instance, MonotonicTime.Zero).HandleRtcp(input, MonotonicTime.Zero);
    }

    /// <summary>As it came, and as the chunks of a packet that has passed the checksum and the tag, to an association that stands.</summary>
    private static void FuzzSctp(byte[] input)
    {
        _ = SctpPacket.TryParse(input, out _);
        var (random, now, buffer) = (new Zeros(), MonotonicTime.From(TimeSpan.FromHours(1)), new byte[2 * SctpFormat.MaximumPacketLength]);
        var handler = new Deaf();
        var (near, far) = (new SctpAssociation(5000, 5000, handler, random), new SctpAssociation(5000, 5000, handler, random));
        near.Start(now);
        far.Start(now);
        while (Move(near, far) | Move(far, near))
        {
        }

        near.TrySend(1, 51, new byte[3000], default, now);
        near.TryWritePacket(buffer, now, out _);
        for (var rest = input.AsSpan(); !rest.IsEmpty && near.State != SctpState.Closed; rest = rest[Math.Min(rest.Length, 1000)..])
        {
            byte[] packet = [0x13, 0x88, 0x13, 0x88, 0, 0, 0, 1, 0, 0, 0, 0, .. rest[..Math.Min(rest.Length, 1000)]];
            BinaryPrimitives.WriteUInt32LittleEndian(packet.AsSpan(8), Crc32c.OfPacket(packet));
            near.HandlePacket(packet, now);
            for (var answers = 0; near.TryWritePacket(buffer, now, out _); answers++)
            {
                if (answers > 100) throw new InvalidOperationException("it never stops answering");
            }

            now += TimeSpan.FromMilliseconds(300);
            near.HandleTimeout(now);
        }

        bool Move(SctpAssociation from, SctpAssociation to)
        {
            if (!from.TryWritePacket(buffer, now, out var length)) return false;
            to.HandlePacket(buffer.AsSpan(0, length), now);
            return true;
        }
    }

    // DATA of TSN 0 on, whole and in fragments; SACK with gaps; FORWARD TSN; RE-CONFIG; HEARTBEAT; SHUTDOWN; INIT; COOKIE ECHO: to tags of 1 and TSNs of 0.
    private static byte[][] SctpSeeds() => Hex(
        "0003001400000000000000000000003368656c6c" + "0002001400000001000100000000003361616161" + "0001001400000002000100000000003362626262",
        "0007001400000000000200010000003363636363" + "0003001400000005000100070000003364646464",
        "0300001800000000000100000002000000010001" + "00030003",
        "c000001000000004000100000002000182000014000d00100000000000000000ffffffff" + "00010002",
        "8200000c0010000c0000000000000001" + "040000080001000461626364" + "07000008ffffffff" + "0e000004",
        "010000140000000100020000040004000000000000",
        "0a00000c6162636465666768" + "06000008000c0004");

    private sealed class Zeros : IRandomSource
    {
        public void Fill(Span<byte> destination) => destination.Clear();
    }

    private sealed class Deaf : ISctpHandler
    {
        public void OnMessage(ushort stream, uint ppid, ReadOnlySpan<byte> message)
        {
        }

        public void OnEstablished()
        {
        }

        public void OnIncomingReset(ushort stream)
        {
        }

        public void OnOutgoingReset(ushort stream)
        {
        }

        public void OnClosed(string reason)
        {
        }
    }

    private static void FuzzSplitter(byte[] input)
    {
        const int MaximumSize = 300;
        var splitter = new AccessUnitSplitter(MaximumSize);
        var pieceLength = 1 + input.Length % 97;
        for (var position = 0; position < input.Length; position += pieceLength)
        {
            splitter.Append(input.AsSpan(position, Math.Min(pieceLength, input.Length - position)));
            while (splitter.TryTake(out var unit)) CheckUnit(unit);
        }
        while (splitter.TryFlush(out var unit)) CheckUnit(unit);

        static void CheckUnit(ReadOnlySpan<byte> unit)
        {
            var position = 0;
            if (unit.Length > MaximumSize || !NalUnit.TryFindNext(unit, ref position, out _)) throw new InvalidOperationException("no access unit");
        }
    }

    private static void FuzzSrtp(byte[] input)
    {
        foreach (var (profile, saltLength) in new[] { (SrtpProfile.AesCm128HmacSha1_80, 14), (SrtpProfile.AeadAes128Gcm, 12) })
        {
            using var context = new SrtpContext(profile, new byte[16], new byte[saltLength]);
            context.TryUnprotectRtp([.. input], out _);
            context.TryUnprotectRtcp([.. input], out _);
        }
    }

    // RFC 5769 §2.1 and §2.2: the request and the IPv4 response.
    private static byte[][] StunSeeds() => Hex(
        "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b3600060009" +
        "6576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf",
        "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599fd9e90c38c7489f9" +
        "2af9ba53f06be7d780280004c07d4c96");

    private static void FuzzThermometer(byte[] input)
    {
        if (W1Scratchpad.TryParse(input, out _) is null && !input.Contains((byte)'t')) throw new InvalidOperationException("a temperature out of nothing");
        if (SysfsAttribute.TryParseNumber(input, out var number) && !double.IsFinite(number)) throw new InvalidOperationException("a number that is none");
    }

    // What coturn 4.6.1 sends: 401 to an Allocate, an allocation, a Data indication; and ChannelData.
    private static byte[][] TurnSeeds() => Hex(
        "011300482112a44256bf4439dab9faceb80ce4190009001000000401556e617574686f72697a65640015001065313531343430303461316232396332001400047465737480220014436f7475726e2d342e362e312027476f72737427",
        "010300502112a4420ec9742debe149e15098e036001600080001e2475e12a44300200008000169195e12a443000d00040000025880220014436f7475726e2d342e362e312027476f72737427000800140219c46266d4e1bc01fb831d6113a87b412cf124",
        "001700302112a442b2287a8dba6aca030ac616530013000568656c6c6f00000000120008000169565e12a44380220014436f7475726e2d342e362e312027476f72737427",
        "40010005010203040500000040020004aabbccdd");

    // A receiver report, PLI, FIR, generic NACK, BYE, REMB and an extended report, each by its RFC's layout.
    private static byte[][] RtcpSeeds() => Hex(
        "81c90007aabbccdd0102030400000000000000000000000000000000000000000000000081ce0002aabbccdd01020304",
        "84ce0004aabbccdd000000000102030401000000",
        "81cd0003aabbccdd0102030400010003",
        "81cb0001aabbccdd",
        "8fce0006aabbccdd0000000052454d4201126f8001020304000000",
        "8fcd0006aabbccdd010203040001000400000207200404080c100000",
        "8fcd0006aabbccdd0102030400000008000001009f1cc95004080c10",
        "80cf0003aabbccdd04000002ec14b8a600000000");

    // Keyframes and repeats, whole and with a delimiter and a picture in two slices (H.264 §7.3) among them.
    private static byte[][] AccessUnitSeeds()
    {
        var notice = new NoticePicture(64, 48, 30, new NoticeText("HI"));
        byte[] stream = [.. notice.KeyFrame(), .. notice.Repeat(), .. notice.Repeat(), .. notice.KeyFrame(), .. notice.Repeat()];
        return [stream, [0, 0, 0, 1, 9, 0xF0, .. stream, 0, 0, 1, 9, 0xF0, 0, 0, 1, 0x41, 0x9A, 0x22, 0x11, 0, 0, 1, 0x41, 0x46, 0x88, 0x44, .. stream]];
    }

    private static byte[][] Hex(params string[] texts) => [.. texts.Select(Convert.FromHexString)];

    private static byte[][] Texts(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];

    private static byte[][] Recorded(string prefix)
    {
        var assembly = typeof(FuzzTargets).Assembly;
        return [.. assembly.GetManifestResourceNames().Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name =>
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            return copy.ToArray();
        })];
    }
}
