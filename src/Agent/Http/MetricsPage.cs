using System.Diagnostics;
using System.Globalization;
using System.Text;
using Agent.Devices;
using Agent.Home;
using Agent.Home.Automations;
using Agent.Devices.Motion;
using Agent.Devices.Sensors;
using Agent.Transport;
using Agent.Whip;

namespace Agent.Http;

/// <summary>The agent's counters in Prometheus' text exposition format 0.0.4.</summary>
internal sealed class MetricsPage
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();

    private MetricsPage()
    {
    }

    public static string Write(AgentState state)
    {
        var page = new MetricsPage();
        page.Family("camera_agent_build_info", "gauge", "Always 1; the label says which build runs.", ([("version", AgentState.Version)], 1));
        page.Family("camera_agent_uptime_seconds", "gauge", "Seconds since the agent started.", ([], state.Uptime.TotalSeconds));
        page.WriteCameras(state.Cameras());
        page.WriteMotion(state.Motion);
        page.WriteTransport(state.Gateway.GetStatus());
        if (state.Broker() is { } broker)
        {
            page.Family("camera_agent_mqtt_connected", "gauge", "1 while the broker is connected.", ([], broker.Connected ? 1 : 0));
            page.Family("camera_agent_mqtt_connections_total", "counter", "Times the broker accepted a connection.", ([], broker.Connections));
            page.Family("camera_agent_mqtt_publish_dropped_total", "counter", "Messages not sent: no connection, or the queue was full.", ([], broker.PublishDropped));
            page.Family("camera_agent_mqtt_receive_dropped_total", "counter", "Messages not handled: too large, or the queue was full.", ([], broker.ReceiveDropped));
        }

        if (state.PwmCommandsRefused() is { } refused)
        {
            page.Family("camera_agent_pwm_commands_refused_total", "counter", "Commands for PWM outputs refused because too many were waiting.", ([], refused));
        }

        if (state.Sensors() is { } sensors)
        {
            page.WriteSensors(sensors);
        }

        if (state.Gpio() is { } gpio)
        {
            page.Family("camera_agent_gpio_edges_total", "counter", "Changes of GPIO inputs.", ([], gpio.Edges));
            page.Family("camera_agent_gpio_edges_lost_total", "counter", "Changes of GPIO inputs that the kernel had no room for.", ([], gpio.EdgesLost));
            page.Family("camera_agent_gpio_commands_refused_total", "counter", "Commands for GPIO outputs refused because too many were waiting.", ([], gpio.Refused));
        }

        if (state.Publishers() is { } publishers)
        {
            page.WritePublishers(publishers);
        }

        if (state.Automations is { } automations)
        {
            page.WriteAutomations(automations);
        }

        using var process = Process.GetCurrentProcess();
        page.Family("process_cpu_seconds_total", "counter", "User and system CPU time.", ([], process.TotalProcessorTime.TotalSeconds));
        page.Family("process_resident_memory_bytes", "gauge", "Resident memory.", ([], process.WorkingSet64));
        page.Family("camera_agent_managed_allocated_bytes_total", "counter", "Bytes allocated on the managed heap since the start.", ([], GC.GetTotalAllocatedBytes()));
        return page._text.ToString();
    }

    private void WriteCameras(IReadOnlyList<CameraStatus> cameras)
    {
        void Each(string name, string type, string help, Func<CameraStatus, double> value) =>
            Family($"camera_agent_camera_{name}", type, help, [.. cameras.Select(c => (new[] { ("camera", c.Name) }, value(c)))]);

        Each("producing", "gauge", "1 while access units keep coming.", c => c.IsProducing ? 1 : 0);
        Each("private", "gauge", "1 while the camera is off on purpose, its device closed.", c => c.IsPrivate ? 1 : 0);
        Each("frames_per_second", "gauge", "Encoded frames per second.", c => c.FramesPerSecond);
        Each("bitrate_bits_per_second", "gauge", "Encoded bits per second.", c => c.BitrateBps);
        Each("target_bitrate_bits_per_second", "gauge", "What the encoder is to make at most.", c => c.TargetBitrateBps);
        Each("adapted_bitrate_bits_per_second", "gauge", "What is asked of the encoder as the viewers' links allow; the target if it cannot be asked.", c => c.AdaptedBitrateBps ?? c.TargetBitrateBps);
        Each("frames_captured_total", "counter", "Frames read from the source.", c => c.FramesCaptured);
        Each("frames_encoded_total", "counter", "Frames encoded or passed through.", c => c.FramesEncoded);
        Each("frames_dropped_total", "counter", "Frames lost between source and encoder.", c => c.FramesDropped);
        Each("key_frames_total", "counter", "IDR pictures.", c => c.KeyFrames);
        Each("restarts_total", "counter", "Times the source was opened again after a failure.", c => c.Restarts);
        Each("frames_damaged_total", "counter", "Frames dropped because the source gave them damaged.", c => c.FramesDamaged);
        Each("encoder_failures_total", "counter", "Times an encoder failed at work.", c => c.EncoderFailures);
        Each("hangs_total", "counter", "Times the capture thread hung in one call.", c => c.Hangs);
        Each("bytes_copied_per_frame", "gauge", "Picture bytes that the CPU copies for each frame.", c => c.BytesCopiedPerFrame);
        Each("notice", "gauge", "1 while viewers see a notice in place of the picture.", c => c.Notice is null ? 0 : 1);
        WriteLayers(cameras);
    }

    private void WriteLayers(IReadOnlyList<CameraStatus> cameras)
    {
        void Each(string name, string help, Func<LayerStatus, double> value, string type = "gauge") =>
            Family($"camera_agent_camera_layer_{name}", type, help, [.. cameras.SelectMany(
                static c => c.Layers, (c, l) => (new[] { ("camera", c.Name), ("layer", l.Name) }, value(l)))]);

        Each("viewers", "Viewers who are given this layer.", l => l.Viewers);
        Each("open", "1 while its encoder is open, or the camera's own stream is passed through.", l => l.Encoder is null ? 0 : 1);
        Each("width_pixels", "Width of its pictures.", l => l.Width);
        Each("height_pixels", "Height of its pictures.", l => l.Height);
        Each("frames_per_second", "Pictures made per second.", l => l.FramesPerSecond);
        Each("bitrate_bits_per_second", "Bits made per second.", l => l.BitrateBps);
        Each("frames_dropped_total", "Frames lost on their way to its encoder: it was behind, or they were damaged.", l => l.FramesDropped, "counter");
    }

    private void WriteSensors(SensorEntities sensors)
    {
        var status = sensors.Status;
        void Each(string name, string type, string help, Func<SensorStatus, double?> value) =>
            Family($"camera_agent_sensor_{name}", type, help, [.. status.Where(s => value(s) is not null).Select(s => (new[] { ("sensor", s.Name) }, value(s)!.Value))]);

        Each("value", "gauge", "What it shows, in its unit; left out while it is unavailable.", s => s.Value);
        Each("available", "gauge", "1 while it has a value.", s => s.Value is null ? 0 : 1);
        Each("reads_total", "counter", "Readings.", s => s.Reads);
        Each("failures_total", "counter", "Readings that gave no value.", s => s.Failures);
        Family("camera_agent_sensor_hangs_total", "counter", "Times that a sensor's driver did not answer in time.", ([], sensors.Hangs));
    }

    private void WriteAutomations(AutomationHome automations)
    {
        void Each(string name, string type, string help, Func<AutomationStatus, double> value) =>
            Family($"camera_agent_automation_{name}", type, help, [.. automations.Status.Select(a => (new[] { ("automation", a.Name) }, value(a)))]);

        Each("in_service", "gauge", "0 while an entity that it needs is missing or takes something else; the log says which.", a => a.Problem is null ? 1 : 0);
        Each("runs_total", "counter", "Times it was set off.", a => a.Runs);
        Each("failures_total", "counter", "Actions that failed.", a => a.Failures);
        Each("left_out_total", "counter", "Triggers left out because there were too many.", a => a.LeftOut);
        Family("camera_agent_automation_changes_dropped_total", "counter", "Changes of entities that no automation looked at because the queue was full.", ([], automations.ChangesDropped));
        Family("camera_agent_automation_messages_dropped_total", "counter", "Messages that never left: the broker was away for too long, or too many waited.", ([], automations.MessagesDropped));
    }

    private void WritePublishers(IReadOnlyList<WhipStatus> publishers)
    {
        void Each(string name, string type, string help, Func<WhipStatus, double> value) =>
            Family($"camera_agent_publisher_{name}", type, help, [.. publishers.Select(p => (new[] { ("publisher", p.Name) }, value(p)))]);

        Each("wanted", "gauge", "1 while it is switched on.", p => p.IsWanted ? 1 : 0);
        Each("connected", "gauge", "1 while the server gets the stream.", p => p.IsConnected ? 1 : 0);
        Each("attempts_total", "counter", "Offers sent to the server.", p => p.Attempts);
        Each("connections_total", "counter", "Offers that led to a stream.", p => p.Connections);
    }

    private void WriteMotion(IReadOnlyList<CameraMotion> cameras)
    {
        void Each(string name, string type, string help, Func<MotionStatus, double> value) =>
            Family($"camera_agent_camera_motion{name}", type, help, [.. cameras.Select(c => (new[] { ("camera", c.Camera.Options.Name) }, value(c.GetStatus())))]);

        Each("", "gauge", "1 while something moves.", m => m.State.IsMoving ? 1 : 0);
        Each("_looking", "gauge", "1 while pictures are looked at.", m => m.State.IsLooking ? 1 : 0);
        Each("_begun_total", "counter", "Times that motion began.", m => m.Motions);
        Each("_frames_total", "counter", "Pictures in which motion was looked for.", m => m.FramesLookedAt);
        Each("_frames_dropped_total", "counter", "Pictures taken and not looked at: a newer one came first, or they were damaged.", m => m.FramesDropped);
        Each("_seconds_total", "counter", "Seconds at work on motion, beside the capture thread.", m => m.LookingTime.TotalSeconds);
        Each("_capture_seconds_total", "counter", "Seconds for which the capture thread was held up for motion.", m => m.CaptureTime.TotalSeconds);
    }

    private void WriteTransport(TransportStatus transport)
    {
        Family("camera_agent_viewers", "gauge", "Viewers now.", ([], transport.Viewers));
        Family("camera_agent_viewers_total", "counter", "Viewers since the start.", ([], transport.ViewersTotal));
        Family("camera_agent_datagrams_received_total", "counter", "UDP datagrams received.", ([], transport.DatagramsReceived));
        Family("camera_agent_datagrams_sent_total", "counter", "UDP datagrams sent.", ([], transport.DatagramsSent));
        Family("camera_agent_datagrams_unmatched_total", "counter", "UDP datagrams that belong to no viewer.", ([], transport.DatagramsUnmatched));
        Family("camera_agent_send_errors_total", "counter", "UDP datagrams that the kernel refused.", ([], transport.SendErrors));
        if (transport.Tcp is { } tcp)
        {
            Family("camera_agent_tcp_connections", "gauge", "Open TCP connections to the media port, strangers' among them.", ([], tcp.Connections));
            Family("camera_agent_tcp_connections_accepted_total", "counter", "TCP connections to the media port.", ([], tcp.ConnectionsAccepted));
            Family("camera_agent_tcp_connections_refused_total", "counter", "TCP connections that proved to be no viewer's.", ([], tcp.ConnectionsRefused));
            Family("camera_agent_tcp_packets_received_total", "counter", "Packets received over TCP.", ([], tcp.PacketsReceived));
            Family("camera_agent_tcp_packets_sent_total", "counter", "Packets sent over TCP.", ([], tcp.PacketsSent));
            Family("camera_agent_tcp_packets_dropped_total", "counter", "Packets that found their TCP connection's queue full, or gone.", ([], tcp.PacketsDropped));
        }

        Family("camera_agent_commands_dropped_total", "counter", "Signalling commands refused because the loop's queue was full.", ([], transport.CommandsDropped));
        Family("camera_agent_access_units_dropped_total", "counter", "Access units that the loop could not take in time.", ([], transport.AccessUnitsDropped));
        Family("camera_agent_session_faults_total", "counter", "Sessions closed because of a bug.", ([], transport.SessionFaults));
        Family("camera_agent_channel_messages_dropped_total", "counter", "Messages of viewers' data channels that were not taken.", ([], transport.ChannelMessagesDropped));
        Family("camera_agent_telemetry_dropped_total", "counter", "Telemetry not sent because too much waited for its viewer.", ([], transport.TelemetryDropped));
        void Links(string name, string help, Func<CameraLinks, double> value) =>
            Family($"camera_agent_camera_{name}", "gauge", help, [.. transport.Links.Select(l => (new[] { ("camera", l.Camera) }, value(l)))]);

        Links("viewer_estimate_lowest_bits_per_second", "What the narrowest of the viewers' links carries; 0 without viewers.", l => l.LowestEstimateBps);
        Links("viewer_estimate_highest_bits_per_second", "What the widest of the viewers' links carries.", l => l.HighestEstimateBps);
        Links("viewer_queue_seconds", "How long what waits to be sent to a viewer takes, at most.", l => l.LongestQueue.TotalSeconds);
        Family("camera_agent_camera_layer_moves_total", "counter", "Times that a viewer was moved from one layer to the other.",
            [.. transport.Links.Select(l => (new[] { ("camera", l.Camera) }, (double)l.LayerMoves))]);
        Family("camera_agent_names_unresolved_total", "counter", "Candidates whose .local name led to no address.", ([], transport.NamesUnresolved));
        WriteIceServers(transport);
    }

    private void WriteIceServers(TransportStatus transport)
    {
        if (transport.IceServers.Count == 0)
        {
            return;
        }

        Family("camera_agent_ice_server_up", "gauge", "1 while a STUN server tells a mapped address or a TURN server relays for the agent.",
            [.. transport.IceServers.Where(server => server.State is not (IceServerState.ViewersOnly or IceServerState.Spare))
                .Select(server => (new[] { ("url", server.Url) }, server.State == IceServerState.Ready ? 1.0 : 0))]);
        Family("camera_agent_relayed_datagrams_sent_total", "counter", "Datagrams that went to viewers through a TURN server.", ([], transport.RelayedSent));
        Family("camera_agent_relayed_datagrams_received_total", "counter", "Datagrams that came from viewers through a TURN server.", ([], transport.RelayedReceived));
        Family("camera_agent_relayed_datagrams_dropped_total", "counter",
            "Datagrams that no TURN server was given: full connection, refused viewer or lost allocation.", ([], transport.RelayedDropped));
    }

    private void Family(string name, string type, string help, params ReadOnlySpan<((string Name, string Value)[] Labels, double Value)> samples)
    {
        if (samples.IsEmpty)
        {
            return;
        }

        _text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
        foreach (var (labels, value) in samples)
        {
            _text.Append(name);
            if (labels.Length > 0)
            {
                _text.Append('{').AppendJoin(',', labels.Select(l => $"{l.Name}=\"{Escape(l.Value)}\"")).Append('}');
            }

            _text.Append(CultureInfo.InvariantCulture, $" {value}\n");
        }
    }

    /// <summary>Label values escape backslash, quote and newline.</summary>
    private static string Escape(string value) => value.Replace("\\", @"\\").Replace("\"", "\\\"").Replace("\n", "\\n");
}
