namespace Agent.Rtc.Ice;

/// <summary>The ufrag and password of one side of an ICE session (RFC 8445 §5.3).</summary>
/// <param name="Ufrag">4 to 256 ice-chars.</param>
/// <param name="Password">22 to 256 ice-chars.</param>
public sealed record IceCredentials(string Ufrag, string Password)
{
    // RFC 8445 §5.3 asks for 24 bits of ufrag and 128 of password; 6 bits each give 48 and 144.
    private const int UfragLength = 8;
    private const int PasswordLength = 24;

    // The 64 ice-chars of RFC 8839 §5.1.
    private const string IceChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    /// <summary>Draws fresh credentials: 8 and 24 ice-chars.</summary>
    public static IceCredentials Create(IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        return new IceCredentials(Draw(random, UfragLength), Draw(random, PasswordLength));
    }

    private static string Draw(IRandomSource random, int length)
    {
        Span<byte> bytes = stackalloc byte[PasswordLength];
        Span<char> text = stackalloc char[PasswordLength];
        random.Fill(bytes[..length]);
        for (var i = 0; i < length; i++)
        {
            text[i] = IceChars[bytes[i] % IceChars.Length];
        }

        return new string(text[..length]);
    }
}
