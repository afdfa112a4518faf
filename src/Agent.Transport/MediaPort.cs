using Agent.Interop.Libc;
using Microsoft.Extensions.Logging;

namespace Agent.Transport;

/// <summary>Opens the media port: UDP, and TCP of the same number where that is wanted and free.</summary>
internal static class MediaPort
{
    private const int Attempts = 16; // a number that is free for UDP is taken for TCP now and then

    /// <exception cref="InvalidOperationException">The UDP port cannot be opened.</exception>
    internal static (UdpTransport Udp, TcpTransport? Tcp) Open(TransportOptions options, ILogger logger)
    {
        for (var attempt = 1; ; attempt++)
        {
            var udp = new UdpTransport(options);
            if (!options.Tcp)
                return (udp, null);
            try
            {
                return (udp, new TcpTransport(options, udp.Port));
            }
            catch (LibcException) when (options.UdpPort == 0 && attempt < Attempts)
            {
                udp.Dispose();
            }
            catch (LibcException error)
            {
                // UDP serves most viewers; another program on that TCP port is no reason to serve none.
                TransportLog.TcpUnavailable(logger, udp.Port, error.Message);
                return (udp, null);
            }
        }
    }
}
