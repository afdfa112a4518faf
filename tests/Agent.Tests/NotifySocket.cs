using System.Net.Sockets;
using System.Text;

namespace Agent.Tests;

/// <summary>systemd's end of the notification socket (sd_notify(3)).</summary>
internal sealed class NotifySocket : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("agent-notify-").FullName;
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    public NotifySocket() => _socket.Bind(new UnixDomainSocketEndPoint(Path));

    public string Path => System.IO.Path.Combine(_directory, "notify");

    /// <summary>The next message, or <c>null</c> if none comes in time.</summary>
    public string? Receive(TimeSpan timeout)
    {
        if (!_socket.Poll(timeout, SelectMode.SelectRead))
        {
            return null;
        }

        var buffer = new byte[4096];
        return Encoding.UTF8.GetString(buffer, 0, _socket.Receive(buffer));
    }

    public void Dispose()
    {
        _socket.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
