using System.Text;
using Agent.Rtc.Ice;
using Agent.Rtc.Stun;
using Agent.Rtc.Tests.Network;

namespace Agent.Rtc.Tests.Ice;

/// <summary>Drives one <see cref="IceAgent"/> with hand-made messages, from as many addresses as a test likes, and answers its checks.</summary>
internal sealed class ScriptedPeer
{
    private readonly SeededRandomSource _random = new(77);
    private readonly byte[] _in = new byte[1500];
    private readonly byte[] _out = new byte[1500];
    private IceCredentials _own;
    private IceCredentials _before;

    public ScriptedPeer(IceRole role, string agentAddress)
    {
        _own = _before = IceCredentials.Create(_random);
        AgentAddress = IceNode.Parse(agentAddress);
        Agent = new IceAgent(role, IceCredentials.Create(_random), _random);
        Agent.SetRemoteCredentials(_own);
        Agent.AddLocalCandidate(IceCandidate.CreateHost(AgentAddress), Now);
    }

    public IceAgent Agent { get; }

    public TransportAddress AgentAddress { get; }

    public MonotonicTime Now { get; set; } = MonotonicTime.From(TimeSpan.FromHours(1));

    /// <summary>Whether the agent's checks are answered.</summary>
    public bool Answers { get; set; } = true;

    /// <summary>Responses of the agent seen so far, by error code (0: success).</summary>
    public Dictionary<int, int> Responses { get; } = [];

    /// <summary>The last response's bytes.</summary>
    public byte[] LastResponse { get; private set; } = [];

    public int ChecksSeen { get; private set; }

    public TransportAddress SelectedRemote => Agent.TryGetSelectedPath(out _, out var remote) ? remote : default;

    /// <summary>Restarts ICE on both sides; this one draws new credentials as well.</summary>
    public void Restart()
    {
        _before = _own;
        _own = IceCredentials.Create(_random);
        Agent.Restart(IceCredentials.Create(_random), _own, Now);
    }

    /// <summary>Sends a signed binding request to the agent; <paramref name="extra"/> adds attributes before the integrity.</summary>
    public bool Check(
        TransportAddress from, uint priority, bool useCandidate = false, string? username = null, string? password = null,
        bool controlling = true, ulong tieBreaker = ulong.MaxValue, StunAttributeType? extra = null)
    {
        var writer = new StunMessageWriter(_out, StunClass.Request, StunTransactionId.Create(_random));
        writer.WriteAttribute(StunAttributeType.Username, Encoding.ASCII.GetBytes(username ?? $"{Agent.LocalCredentials.Ufrag}:{_own.Ufrag}"));
        writer.WriteUInt32(StunAttributeType.Priority, priority);
        writer.WriteUInt64(controlling ? StunAttributeType.IceControlling : StunAttributeType.IceControlled, tieBreaker);
        if (useCandidate)
        {
            writer.WriteAttribute(StunAttributeType.UseCandidate, []);
        }

        if (extra is { } type)
        {
            writer.WriteAttribute(type, [1, 2, 3]);
        }

        writer.WriteMessageIntegrity(Encoding.ASCII.GetBytes(password ?? Agent.LocalCredentials.Password));
        writer.WriteFingerprint();
        return Inject(_out.AsSpan(0, writer.Length), from);
    }

    public bool Inject(ReadOnlySpan<byte> datagram, TransportAddress from)
    {
        var handled = Agent.HandleDatagram(datagram, AgentAddress, from, Now);
        Pump();
        return handled;
    }

    public void RunFor(TimeSpan duration)
    {
        var end = Now + duration;
        Pump();
        while (Agent.NextTimeout <= end)
        {
            Now = Agent.NextTimeout > Now ? Agent.NextTimeout : Now;
            Agent.HandleTimeout(Now);
            Pump();
        }

        Now = end;
    }

    /// <summary>Takes what the agent sends; answers its checks at once.</summary>
    private void Pump()
    {
        while (Agent.TryDequeueTransmit(_in, out var transmit))
        {
            var datagram = _in.AsSpan(0, transmit.Length);
            Assert.True(StunMessage.TryParse(datagram, out var message));
            Assert.True(message.HasFingerprint);
            if (message.Class != StunClass.Request)
            {
                Responses[message.ErrorCode] = Responses.GetValueOrDefault(message.ErrorCode) + 1;
                LastResponse = datagram.ToArray();
                continue;
            }

            ChecksSeen++;
            // Until it has another path the agent keeps the consent of the generation before a restart.
            var credentials = message.VerifyMessageIntegrity(Encoding.ASCII.GetBytes(_own.Password)) ? _own : _before;
            Assert.True(message.VerifyMessageIntegrity(Encoding.ASCII.GetBytes(credentials.Password)));
            if (Answers)
            {
                var writer = new StunMessageWriter(_out, StunClass.SuccessResponse, message.TransactionId);
                writer.WriteXorMappedAddress(transmit.Local);
                writer.WriteMessageIntegrity(Encoding.ASCII.GetBytes(credentials.Password));
                writer.WriteFingerprint();
                Agent.HandleDatagram(_out.AsSpan(0, writer.Length), transmit.Local, transmit.Remote, Now);
            }
        }
    }
}
