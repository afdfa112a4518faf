namespace Agent.Mqtt;

/// <summary>Codes of CONNACK, DISCONNECT, SUBACK and PUBACK that have a mend.</summary>
internal static class MqttReasons
{
    /// <summary>MQTT 3.1.1 §3.2.2.3 return codes.</summary>
    private const int UnacceptableProtocolVersion311 = 1;
    private const int IdentifierRejected311 = 2;
    private const int ServerUnavailable311 = 3;
    private const int BadUserNameOrPassword311 = 4;
    private const int NotAuthorized311 = 5;

    /// <summary>MQTT 5 §2.4: reason codes from here on are failures.</summary>
    public const int FirstFailure = 0x80;

    /// <summary>MQTT 5 §2.4 reason codes.</summary>
    private const int UnsupportedProtocolVersion = 0x84;
    private const int ClientIdentifierNotValid = 0x85;
    private const int BadUserNameOrPassword = 0x86;
    private const int NotAuthorized = 0x87;
    private const int ServerUnavailable = 0x88;
    private const int ServerBusy = 0x89;
    private const int Banned = 0x8A;
    private const int SessionTakenOver = 0x8E;
    private const int PacketTooLarge = 0x95;
    private const int QuotaExceeded = 0x97;
    private const int ConnectionRateExceeded = 0x9F;

    /// <summary>True if the broker does not speak the version of the CONNECT.</summary>
    public static bool IsUnsupportedVersion(int code) => code is UnsupportedProtocolVersion or UnacceptableProtocolVersion311;

    /// <summary>What the reader can do about a refusal.</summary>
    public static string Mend(int code) => code switch
    {
        UnsupportedProtocolVersion or UnacceptableProtocolVersion311 => "the other protocol version is tried next",
        ClientIdentifierNotValid or IdentifierRejected311 => "set mqtt.device to a short name of letters and digits",
        BadUserNameOrPassword or BadUserNameOrPassword311 => "set mqtt.userName and mqtt.password to an account of the broker",
        NotAuthorized or NotAuthorized311 => "set mqtt.userName and mqtt.password, or allow the account in the broker's access list",
        Banned => "lift the ban in the broker's configuration",
        PacketTooLarge => "a message was larger than the broker takes; raise the size of its packets (mosquitto: max_packet_size), or make the picture smaller",
        SessionTakenOver => "another client uses the same client id; give each device its own mqtt.device",
        ServerUnavailable or ServerUnavailable311 or ServerBusy or ConnectionRateExceeded => "the broker is overloaded; it is tried again later",
        _ => "see the broker's log",
    };

    /// <summary>The same for a topic or filter that SUBACK or PUBACK refused.</summary>
    public static string MendRefusal(int code) => code switch
    {
        // MQTT 3.1.1 §3.9.3 has but one code for every reason.
        NotAuthorized or FirstFailure => "allow it to the agent's account in the broker's access list",
        PacketTooLarge => "raise the broker's message_size_limit",
        QuotaExceeded => "raise the broker's quota",
        _ => "see the broker's log",
    };
}
