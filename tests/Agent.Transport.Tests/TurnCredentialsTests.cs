using Agent.Rtc.Ice;

namespace Agent.Transport.Tests;

public sealed class TurnCredentialsTests
{
    private static IceServerOptions Server(string url)
    {
        Assert.True(IceServerUrl.TryParse(url, out var parsed));
        return new IceServerOptions { Urls = [parsed] };
    }

    [Fact]
    public void A_secret_gives_the_password_that_the_server_computes_from_the_name()
    {
        var server = Server("turn:turn.example.net") with { Secret = "north" };
        var issued = TurnCredentials.Issue([server], new DateTimeOffset(2023, 11, 15, 23, 59, 59, TimeSpan.Zero)).Single();
        Assert.Equal(["turn:turn.example.net"], issued.Urls);
        // printf 1700179200:camera-agent | openssl dgst -sha1 -hmac north -binary | base64
        Assert.Equal(("1700179200:camera-agent", "qMtTn6zZLh9qePxQczbQpN9S3lE="), (issued.Username, issued.Credential));
    }

    [Fact]
    public void Credentials_of_a_secret_last_for_a_day_at_least_and_two_at_most_and_stay_the_same_through_a_day()
    {
        var server = Server("turn:turn.example.net") with { Secret = "north", UserName = "porch" };
        var midnight = new DateTimeOffset(2026, 11, 23, 0, 0, 0, TimeSpan.Zero);
        for (var hour = 0; hour < 24; hour++)
        {
            var now = midnight + TimeSpan.FromHours(hour);
            var (userName, _) = TurnCredentials.Create(server, now);
            var parts = userName!.Split(':');
            Assert.Equal("porch", parts[1]);
            var left = DateTimeOffset.FromUnixTimeSeconds(long.Parse(parts[0])) - now;
            Assert.InRange(left, TimeSpan.FromDays(1), TimeSpan.FromDays(2));
            Assert.Equal(TurnCredentials.Create(server, midnight), TurnCredentials.Create(server, now));
        }
    }

    [Fact]
    public void A_password_that_lasts_is_passed_on_and_a_stun_server_needs_none()
    {
        var turn = Server("turn:turn.example.net") with { UserName = "u", Credential = "p" };
        var issued = TurnCredentials.Issue([turn, Server("stun:stun.example.net")], DateTimeOffset.UnixEpoch);
        Assert.Equal([("u", "p"), (null, null)], issued.Select(one => (one.Username, one.Credential)));
    }
}
