using Agent.Rtc.Stun;

namespace Agent.Rtc.Turn;

/// <summary>What a TURN server's error codes mean to whoever runs the agent (RFC 8489 §14.8, RFC 8656 §19).</summary>
internal static class TurnErrors
{
    private const int Forbidden = 403;
    private const int WrongCredentials = 441;
    private const int UnsupportedTransport = 442;
    private const int PeerFamilyMismatch = 443;
    private const int AllocationQuotaReached = 486;
    private const int ServerError = 500;
    private const int InsufficientCapacity = 508;

    public static string Describe(int code) => code switch
    {
        StunErrorCode.TryAlternate => "sends elsewhere (300) without saying where",
        StunErrorCode.BadRequest => "calls the request malformed (400); is it a TURN server?",
        StunErrorCode.Unauthenticated => "does not take the user name and password (401); compare username, credential or secret, and the clocks of both machines",
        Forbidden => "forbids it (403): its list of allowed or denied addresses",
        StunErrorCode.UnknownAttribute => "does not know an attribute of the request (420); is it a TURN server?",
        StunErrorCode.AllocationMismatch => "has another allocation for this address and port, or has lost the one there was (437)",
        StunErrorCode.StaleNonce => "calls each nonce stale that it has just given (438)",
        StunErrorCode.AddressFamilyNotSupported => "has no relay addresses of that family (440)",
        WrongCredentials => "says that the allocation is another user's (441)",
        UnsupportedTransport => "does not relay UDP (442)",
        PeerFamilyMismatch => "does not reach peers of that address family (443)",
        AllocationQuotaReached => "lets this user have no further allocation (486): its user-quota or total-quota",
        ServerError => "has an error of its own (500)",
        InsufficientCapacity => "has no relay port or bandwidth left (508)",
        _ => $"answers {code}",
    };
}
