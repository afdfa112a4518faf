using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Agent.Rtc.Stun;
using Agent.Rtc.Tests.Network;

namespace Agent.Rtc.Tests.Stun;

public sealed class StunMessageTests
{
    private static readonly byte[] Key = Encoding.ASCII.GetBytes(Rfc5769Vectors.Password);

    [Fact]
    public void The_request_of_RFC_5769_is_read_and_verified()
    {
        Assert.True(StunMessage.TryParse(Rfc5769Vectors.Request, out var message));
        Assert.Equal(StunClass.Request, message.Class);
        Assert.Equal(StunFormat.BindingMethod, message.Method);
        Assert.Equal(Rfc5769Vectors.Username, Encoding.UTF8.GetString(message.Username));
        Assert.Equal(0x6e0001ffu, message.Priority);
        Assert.Equal(0x932ff9b151263b36ul, message.IceControlled);
        Assert.Null(message.IceControlling);
        Assert.True(message.HasFingerprint);
        Assert.True(message.VerifyMessageIntegrity(Key));
        Assert.False(message.VerifyMessageIntegrity("VOkJxbRl1RmTxUk/WvJxBu"u8));
    }

    [Fact]
    public void The_responses_of_RFC_5769_are_read_and_verified()
    {
        Assert.True(StunMessage.TryParse(Rfc5769Vectors.IPv4Response, out var ipv4));
        Assert.Equal(StunClass.SuccessResponse, ipv4.Class);
        Assert.Equal("192.0.2.1:32853", ipv4.XorMappedAddress.ToString());
        Assert.True(ipv4.HasFingerprint && ipv4.VerifyMessageIntegrity(Key));

        Assert.True(StunMessage.TryParse(Rfc5769Vectors.IPv6Response, out var ipv6));
        Assert.Equal("[2001:db8:1234:5678:11:2233:4455:6677]:32853", ipv6.XorMappedAddress.ToString());
        Assert.True(ipv6.HasFingerprint && ipv6.VerifyMessageIntegrity(Key));
    }

    [Fact]
    public void The_long_term_request_of_RFC_5769_is_read_and_verified()
    {
        Assert.True(StunMessage.TryParse(Rfc5769Vectors.LongTermRequest, out var message));
        Assert.Equal("マトリックス", Encoding.UTF8.GetString(message.Username));
#pragma warning disable CA5351 // RFC 8489 §9.2.2 fixes MD5 for this key.
        var key = MD5.HashData("マトリックス:example.org:TheMatrIX"u8);
#pragma warning restore CA5351
        Assert.True(message.VerifyMessageIntegrity(key));
        Assert.False(message.HasFingerprint);
    }

    [Theory]
    [MemberData(nameof(Rfc5769Vectors.All), MemberType = typeof(Rfc5769Vectors))]
    public void The_writer_reproduces_the_vectors_but_for_their_choice_of_padding(byte[] vector)
    {
        // RFC 5769 pads with spaces or zeros; the writer pads with zeros, as RFC 8489 §14 now says. Integrity covers the padding,
        // so the attributes are rewritten from a vector whose padding has been zeroed, and compared up to MESSAGE-INTEGRITY.
        Assert.True(StunMessage.TryParse(vector, out var message));
        var buffer = new byte[1500];
        var writer = new StunMessageWriter(buffer, message.Class, message.TransactionId);
        var expected = (byte[])vector.Clone();
        var compared = 0;
        for (var offset = StunFormat.HeaderLength; offset < vector.Length;)
        {
            var type = (StunAttributeType)BinaryPrimitives.ReadUInt16BigEndian(vector.AsSpan(offset));
            var length = BinaryPrimitives.ReadUInt16BigEndian(vector.AsSpan(offset + 2));
            var value = vector.AsSpan(offset + 4, length);
            expected.AsSpan((offset + 4 + length)..(offset + 4 + StunFormat.Padded(length))).Clear();
            switch (type)
            {
                case StunAttributeType.XorMappedAddress:
                    writer.WriteXorMappedAddress(message.XorMappedAddress);
                    break;
                case StunAttributeType.MessageIntegrity:
                    compared = writer.Length;
                    writer.WriteMessageIntegrity(Key);
                    break;
                case StunAttributeType.Fingerprint:
                    writer.WriteFingerprint();
                    break;
                default:
                    writer.WriteAttribute(type, value);
                    break;
            }

            offset += 4 + StunFormat.Padded(length);
        }

        Assert.Equal(vector.Length, writer.Length);
        Assert.Equal(expected[..compared], buffer[..compared]);
        Assert.True(StunMessage.TryParse(buffer.AsSpan(0, writer.Length), out var rewritten));
        Assert.True(rewritten.VerifyMessageIntegrity(Key));
    }

    [Fact]
    public void A_check_recorded_from_Chromium_is_read_and_verified()
    {
        var datagram = TestVectors.ReadHex("Stun/chromium-binding-request.hex");
        Assert.True(StunMessage.TryReadLocalUfrag(datagram, out var ufrag));
        Assert.Equal("vectorUf", Encoding.ASCII.GetString(ufrag));
        Assert.True(StunMessage.TryParse(datagram, out var message));
        Assert.Equal("vectorUf:rkuJ", Encoding.ASCII.GetString(message.Username));
        Assert.True(message.VerifyMessageIntegrity("vectorPassword0123456789"u8));
        Assert.True(message.HasFingerprint && message.UseCandidate && message.IceControlling is not null && message.IceControlled is null);
        Assert.Equal(0x6e001effu, message.Priority);
        Assert.True(message.UnknownAttributes.IsEmpty); // GOOG-NETWORK-INFO is comprehension-optional.
    }

    [Fact]
    public void The_local_ufrag_is_read_from_a_binding_request_only()
    {
        Assert.True(StunMessage.TryReadLocalUfrag(Rfc5769Vectors.Request, out var ufrag));
        Assert.Equal("evtj", Encoding.ASCII.GetString(ufrag));
        Assert.False(StunMessage.TryReadLocalUfrag(Rfc5769Vectors.IPv4Response, out _));
        Assert.False(StunMessage.TryReadLocalUfrag(Rfc5769Vectors.LongTermRequest, out _)); // No colon in its USERNAME.
    }

    [Fact]
    public void An_error_response_carries_its_code_and_the_unknown_attributes()
    {
        var buffer = new byte[1500];
        var id = StunTransactionId.Create(new SeededRandomSource(1));
        var writer = new StunMessageWriter(buffer, StunClass.ErrorResponse, id);
        writer.WriteErrorCode(StunErrorCode.UnknownAttribute, "Unknown Attribute");
        writer.WriteUnknownAttributes([0x0042, 0x7FFF]);
        writer.WriteFingerprint();

        Assert.True(StunMessage.TryParse(buffer.AsSpan(0, writer.Length), out var message));
        Assert.Equal(id, message.TransactionId);
        Assert.Equal(420, message.ErrorCode);
        // RFC 8489 §14.9: type 0x000A, four bytes, the two types.
        Assert.True(buffer.AsSpan(0, writer.Length).IndexOf(Convert.FromHexString("000A000400427FFF")) > 0);
    }

    [Fact]
    public void Unknown_attributes_count_only_when_comprehension_is_required()
    {
        var buffer = new byte[1500];
        var writer = new StunMessageWriter(buffer, StunClass.Request, StunTransactionId.Create(new SeededRandomSource(1)));
        writer.WriteAttribute((StunAttributeType)0xC057, [0, 0, 0, 1]);
        writer.WriteAttribute((StunAttributeType)0x0042, []);
        Assert.True(StunMessage.TryParse(buffer.AsSpan(0, writer.Length), out var message));
        Assert.Equal([0x0042], message.UnknownAttributes.ToArray());
    }

    [Fact]
    public void What_stands_behind_the_integrity_is_ignored_and_nothing_may_stand_behind_the_fingerprint()
    {
        var buffer = new byte[1500];
        var writer = new StunMessageWriter(buffer, StunClass.Request, StunTransactionId.Create(new SeededRandomSource(1)));
        writer.WriteMessageIntegrity(Key);
        writer.WriteAttribute(StunAttributeType.UseCandidate, []);
        Assert.True(StunMessage.TryParse(buffer.AsSpan(0, writer.Length), out var message));
        Assert.False(message.UseCandidate);

        writer.WriteFingerprint();
        Assert.True(StunMessage.TryParse(buffer.AsSpan(0, writer.Length), out _));
        writer.WriteAttribute(StunAttributeType.Software, "x"u8);
        Assert.False(StunMessage.TryParse(buffer.AsSpan(0, writer.Length), out _));
    }

    [Theory]
    [MemberData(nameof(Rfc5769Vectors.All), MemberType = typeof(Rfc5769Vectors))]
    public void A_message_cut_short_at_any_length_is_refused(byte[] vector)
    {
        for (var length = 0; length < vector.Length; length++)
        {
            Assert.False(StunMessage.TryParse(vector.AsSpan(0, length), out _), $"{length} bytes");
            Assert.False(StunMessage.TryReadLocalUfrag(vector.AsSpan(0, length), out _), $"{length} bytes");

            // The same with a length field that claims the cut message is whole.
            var patched = vector[..length];
            if (length >= StunFormat.HeaderLength)
            {
                BinaryPrimitives.WriteUInt16BigEndian(patched.AsSpan(2), (ushort)(length - StunFormat.HeaderLength));
                var parsed = StunMessage.TryParse(patched, out var message);
                Assert.False(parsed && message.VerifyMessageIntegrity(Key) && message.HasFingerprint, $"{length} bytes");
                StunMessage.TryReadLocalUfrag(patched, out _);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Rfc5769Vectors.All), MemberType = typeof(Rfc5769Vectors))]
    public void A_mutated_message_never_throws_and_is_never_authentic(byte[] vector)
    {
        var random = new Random(5769);
        for (var round = 0; round < 20_000; round++)
        {
            var mutated = (byte[])vector.Clone();
            for (var changes = random.Next(1, 5); changes > 0; changes--)
            {
                mutated[random.Next(mutated.Length)] ^= (byte)random.Next(1, 256);
            }

            StunMessage.TryReadLocalUfrag(mutated, out _);
            if (StunMessage.TryParse(mutated, out var message) && message.HasFingerprint)
            {
                Assert.True(mutated.AsSpan().SequenceEqual(vector), $"round {round}: CRC-32 missed a change of at most four bytes");
                Assert.True(message.VerifyMessageIntegrity(Key));
            }
        }
    }

    [Fact]
    public void Random_bytes_behind_a_valid_header_never_throw()
    {
        var random = new Random(8489);
        var parsed = 0;
        for (var round = 0; round < 50_000; round++)
        {
            var bytes = new byte[StunFormat.HeaderLength + (4 * random.Next(0, 30))];
            random.NextBytes(bytes);
            Rfc5769Vectors.Request.AsSpan(0, 8).CopyTo(bytes);
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)(bytes.Length - StunFormat.HeaderLength));
            for (var offset = StunFormat.HeaderLength; offset < bytes.Length; offset += 8)
            {
                // Known types with small lengths, so that the attributes' readers are reached.
                bytes[offset] = (byte)(random.Next(2) * 0x80);
                bytes[offset + 1] = (byte)random.Next(0x30);
                bytes[offset + 2] = 0;
                bytes[offset + 3] = (byte)random.Next(24);
            }

            parsed += StunMessage.TryParse(bytes, out var message) ? 1 : 0;
            message.VerifyMessageIntegrity(Key);
            StunMessage.TryReadLocalUfrag(bytes, out _);
        }

        Assert.True(parsed > 100, $"only {parsed} parsed: the generator is too wild to test anything");
    }
}
