using System.Buffers.Binary;
using Agent.Rtc;
using Agent.Rtc.Stun;

namespace Agent.Transport;

/// <summary>Both ends of a datagram's way, of one protocol.</summary>
internal readonly record struct NetworkPath(TransportAddress Local, TransportAddress Remote);

/// <summary>
/// Which viewer a datagram is for. A STUN request says so itself: USERNAME begins with this side's ufrag (RFC 8445 §7.2.2). All else
/// follows the path that it came on, and a path belongs to the viewer who last answered an authenticated request there. So an unverified
/// packet, or a candidate that merely names someone else's address, takes no path from anyone.
/// </summary>
internal sealed class PathTable
{
    /// <summary>Paths kept for one viewer: RFC 8445 §6.1.2.5 limits it to 100 pairs. Drop policy: the oldest goes.</summary>
    internal const int MaximumPathsPerViewer = 100;

    private const ushort BindingSuccessResponse = 0x0101; // RFC 8489 §5, Figure 3
    private const int MaximumUfragLength = 256; // RFC 8839 §5.4

    private readonly Dictionary<NetworkPath, Viewer> _paths = [];
    private readonly Dictionary<string, Viewer> _ufrags = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Viewer>.AlternateLookup<ReadOnlySpan<char>> _ufragsBySpan;

    internal PathTable() => _ufragsBySpan = _ufrags.GetAlternateLookup<ReadOnlySpan<char>>();

    internal int Count => _paths.Count;

    internal void AddUfrag(string ufrag, Viewer viewer) => _ufrags[ufrag] = viewer;

    internal void RemoveUfrag(string ufrag, Viewer viewer)
    {
        if (_ufrags.TryGetValue(ufrag, out var owner) && owner == viewer)
            _ufrags.Remove(ufrag);
    }

    /// <summary>Finds the viewer that an incoming datagram is for, or none.</summary>
    internal Viewer? Find(ReadOnlySpan<byte> datagram, in NetworkPath path)
    {
        if (IsStun(datagram) && StunMessage.TryReadLocalUfrag(datagram, out var ufrag) && ufrag.Length <= MaximumUfragLength)
        {
            Span<char> characters = stackalloc char[MaximumUfragLength];
            for (var i = 0; i < ufrag.Length; i++)
                characters[i] = (char)ufrag[i];
            return _ufragsBySpan.TryGetValue(characters[..ufrag.Length], out var addressed) ? addressed : null;
        }

        return _paths.GetValueOrDefault(path);
    }

    /// <summary>A session says so only to who has sent an authenticated request.</summary>
    internal static bool IsProof(ReadOnlySpan<byte> sent) => IsStun(sent) && IsAnswer(sent);

    /// <summary>Learns from a datagram that a viewer's session sends.</summary>
    internal void Learn(ReadOnlySpan<byte> datagram, in NetworkPath path, Viewer viewer)
    {
        if (!IsStun(datagram))
            return;
        var isAnswer = IsAnswer(datagram);
        var isTaken = _paths.TryGetValue(path, out var owner);
        if (owner == viewer || (isTaken && !isAnswer))
            return;

        _paths[path] = viewer;
        viewer.Paths.Enqueue(path);
        if (viewer.Paths.Count > MaximumPathsPerViewer)
            Forget(viewer.Paths.Dequeue(), viewer);
    }

    internal void Remove(Viewer viewer)
    {
        foreach (var path in viewer.Paths)
            Forget(path, viewer);
        foreach (var ufrag in viewer.LocalUfrags)
            RemoveUfrag(ufrag, viewer);
    }

    private static bool IsAnswer(ReadOnlySpan<byte> stun) => BinaryPrimitives.ReadUInt16BigEndian(stun) == BindingSuccessResponse;

    private static bool IsStun(ReadOnlySpan<byte> datagram) => DatagramClassifier.Classify(datagram) == DatagramKind.Stun;

    private void Forget(in NetworkPath path, Viewer viewer)
    {
        if (_paths.TryGetValue(path, out var owner) && owner == viewer)
            _paths.Remove(path);
    }
}
