using System.Buffers.Binary;
using System.Net;
using System.Text;
using Agent.Rtc;
using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;
using Agent.Rtc.Sdp;

namespace Agent.Transport.Tests;

public sealed class PathTableTests
{
    private const ushort BindingRequest = 0x0001; // RFC 8489 §5
    private const ushort BindingSuccess = 0x0101;
    private static readonly byte[] Srtp = [0x80, 96, 0, 1];

    private readonly PathTable _table = new();

    [Fact]
    public void A_request_finds_the_viewer_by_ufrag_from_anywhere_and_other_datagrams_only_by_path()
    {
        var (first, second) = (Add("ufrag1"), Add("ufrag2"));
        Assert.Same(first, _table.Find(Stun(BindingRequest, "ufrag1:peer"), Path(1)));
        Assert.Same(second, _table.Find(Stun(BindingRequest, "ufrag2:peer"), Path(1)));
        Assert.Null(_table.Find(Stun(BindingRequest, "ufrag3:peer"), Path(1)));
        Assert.Null(_table.Find(Srtp, Path(1)));
        _table.Learn(Stun(BindingSuccess, null), Path(1), first);
        Assert.Same(first, _table.Find(Srtp, Path(1)));
        Assert.Null(_table.Find(Srtp, Path(2)));
        _table.Remove(first);
        Assert.Null(_table.Find(Srtp, Path(1)));
        Assert.Null(_table.Find(Stun(BindingRequest, "ufrag1:peer"), Path(1)));
    }

    [Fact]
    public void A_viewer_whose_candidate_names_the_address_of_another_gets_none_of_its_datagrams()
    {
        var (watching, greedy) = (Add("ufrag1"), Add("ufrag2"));
        _table.Learn(Stun(BindingSuccess, null), Path(1), watching);
        _table.Learn(Stun(BindingRequest, "peer:ufrag2"), Path(1), greedy);
        Assert.Same(watching, _table.Find(Srtp, Path(1)));

        // The other way round: who merely asked first yields to who was asked with a valid password.
        _table.Learn(Stun(BindingRequest, "peer:ufrag2"), Path(2), greedy);
        Assert.Same(greedy, _table.Find(Srtp, Path(2)));
        _table.Learn(Stun(BindingSuccess, null), Path(2), watching);
        Assert.Same(watching, _table.Find(Srtp, Path(2)));
        _table.Remove(greedy);
        Assert.Same(watching, _table.Find(Srtp, Path(2)));
    }

    [Fact]
    public void A_viewer_keeps_the_newest_of_more_paths_than_it_may_have()
    {
        var viewer = Add("ufrag1");
        for (var i = 1; i <= 2 * PathTable.MaximumPathsPerViewer; i++)
            _table.Learn(Stun(BindingSuccess, null), Path(i), viewer);
        Assert.Equal(PathTable.MaximumPathsPerViewer, _table.Count);
        Assert.Null(_table.Find(Srtp, Path(PathTable.MaximumPathsPerViewer)));
        Assert.Same(viewer, _table.Find(Srtp, Path(PathTable.MaximumPathsPerViewer + 1)));
        _table.Remove(viewer);
        Assert.Equal(0, _table.Count);
    }

    [Fact]
    public void Truncated_and_mutated_requests_find_their_viewer_or_nobody()
    {
        var viewer = Add("ufrag1");
        var request = Stun(BindingRequest, "ufrag1:peer");
        for (var length = 0; length < request.Length; length++)
            Assert.Null(_table.Find(request.AsSpan(0, length), Path(1)));
        var random = new Random(11);
        for (var i = 0; i < 20_000; i++)
        {
            var mutated = request.ToArray();
            mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            Assert.True(_table.Find(mutated, Path(1)) is null or { Terms.SessionId: "ufrag1" });
        }

        Assert.Same(viewer, _table.Find(request, Path(1)));
    }

    private static NetworkPath Path(int port) =>
        new(TransportAddress.From(IPAddress.Loopback, 1), TransportAddress.From(IPAddress.Loopback, port));

    private static byte[] Stun(ushort type, string? username)
    {
        var value = Encoding.ASCII.GetBytes(username ?? "");
        var padded = (value.Length + 3) & ~3;
        var message = new byte[20 + (username is null ? 0 : 4 + padded)];
        BinaryPrimitives.WriteUInt16BigEndian(message, type);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), (ushort)(message.Length - 20));
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(4), 0x2112A442); // RFC 8489 §5, magic cookie
        if (username is null)
            return message;
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(20), 0x0006); // USERNAME
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(22), (ushort)value.Length);
        value.CopyTo(message, 24);
        return message;
    }

    /// <summary>The table looks at a viewer's ufrags and paths only; the rest of it is absent here.</summary>
    private Viewer Add(string ufrag)
    {
        var negotiated = new NegotiatedSession(
            "", TestOffer.Ice, false, TestOffer.Fingerprint, DtlsRole.Client, [], false, "0", "0", 96, null, "42e01f", default, false);
        var terms = new ViewerTerms(ufrag, TestCamera.Name, "test", "a test", negotiated, new IceCredentials(ufrag, "password"), [], 1, 2);
        var viewer = new Viewer(terms, null!, null!, null!, "", MonotonicTime.Zero);
        _table.AddUfrag(ufrag, viewer);
        return viewer;
    }
}
