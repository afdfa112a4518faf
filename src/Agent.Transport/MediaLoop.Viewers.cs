using Agent.Rtc;

namespace Agent.Transport;

/// <content>Its viewers: what they have to send and to say, their timers, how they come and go.</content>
internal sealed partial class MediaLoop
{
    /// <summary>The loop's: takes a new viewer in.</summary>
    internal void Add(Viewer viewer)
    {
        _viewers.Add(viewer);
        if (viewer.Terms.Guest is { IsNone: false } host)
            _servers?.Admit(host, SystemClock.Now);
        _paths.AddUfrag(viewer.Terms.LocalIce.Ufrag, viewer);
        Publish();
        MarkDirty(viewer);
    }

    /// <summary>The loop's: checks that carry this ufrag are for this viewer too; only the newest two of a viewer are kept.</summary>
    internal void AddUfrag(Viewer viewer, string ufrag)
    {
        viewer.LocalUfrags.Add(ufrag);
        _paths.AddUfrag(ufrag, viewer);
        if (viewer.LocalUfrags.Count <= 2)
            return;
        _paths.RemoveUfrag(viewer.LocalUfrags[0], viewer);
        viewer.LocalUfrags.RemoveAt(0);
    }

    private void RunTimers(MonotonicTime now)
    {
        while (_timers.TryPeek(out var viewer, out var due) && due <= now)
        {
            _timers.Dequeue();
            viewer.TimerAt = MonotonicTime.Never;
            Apply(viewer, 0, static (one, _, present) =>
            {
                if (one.Session.NextTimeout <= present)
                    one.Session.HandleTimeout(present);
            });
        }
    }

    private void MarkDirty(Viewer viewer)
    {
        if (viewer.IsDirty || viewer.IsRemoved)
            return;
        viewer.IsDirty = true;
        _dirty.Add(viewer);
    }

    private void DrainViewers()
    {
        _isBlocked = !_transport.TryFlush();
        var wallClock = DateTimeOffset.UtcNow;
        var drained = 0;
        for (; drained < _dirty.Count && !_isBlocked; drained++)
        {
            var viewer = _dirty[drained];
            if (viewer.IsRemoved)
                continue;
            try
            {
                if (!TrySendAll(viewer, wallClock))
                    break; // the rest of it comes first when the socket is writable
                viewer.IsDirty = false;
                HandleEvents(viewer);
                Schedule(viewer);
            }
#pragma warning disable CA1031 // a bug in one session must not end the others
            catch (Exception error)
#pragma warning restore CA1031
            {
                RemoveFaulted(viewer, error);
            }
        }

        _dirty.RemoveRange(0, drained);
        SendToServers(); // after the viewers, whose datagrams may need a permission
        _tcp?.Flush();
        if (!_isBlocked)
            _isBlocked = !_transport.TryFlush();
    }

    /// <summary>The TCP connection that a viewer's media takes, its own or a TURN server's, has no room.</summary>
    private bool IsMediaPathFull(Viewer viewer) => viewer.Session.TryGetMediaPath(out var from, out var to)
        && (to.IsTcp ? _tcp?.HasRoom(new NetworkPath(from, to)) == false : _servers?.IsFull(from) == true);

    private bool TrySendAll(Viewer viewer, DateTimeOffset wallClock)
    {
        var now = SystemClock.Now;
        while (true)
        {
            if (!_transport.HasRoom && !_transport.TryFlush())
            {
                _isBlocked = true;
                return false;
            }

            viewer.Session.IsMediaHeld = IsMediaPathFull(viewer);
            var slot = _transport.NextSlot;
            if (!viewer.Session.TryDequeueTransmit(slot, now, wallClock, out var transmit))
                return true;
            var path = new NetworkPath(transmit.Local, transmit.Remote);
            _paths.Learn(slot[..transmit.Length], path, viewer);
            if (transmit.Remote.IsTcp)
                _tcp?.Send(slot[..transmit.Length], path, viewer);
            else if (_servers is null || _servers.TryRelay(slot, ref transmit, now))
                _transport.Add(transmit);
        }
    }

    private void HandleEvents(Viewer viewer)
    {
        while (viewer.Session.TryDequeueEvent(out var happened))
        {
            if (happened.Kind == PeerEventKind.KeyFrameNeeded)
                viewer.Feed.RequestKeyFrame(viewer);
        }

        switch (viewer.Session.State)
        {
            case PeerState.Connected when !viewer.WasConnected:
                viewer.WasConnected = true;
                // Not before: frames that nobody can be sent would cost encoding, and the IDR they begin with would be wasted.
                viewer.Feed.Join(viewer);
                LogConnected(viewer);
                break;
            case PeerState.Closed:
                Remove(viewer, viewer.Session.CloseReason ?? "closed");
                break;
        }
    }

    private void LogConnected(Viewer viewer)
    {
        var status = viewer.Session.GetStatus();
        var pair = status.SelectedPair;
        TransportLog.ViewerConnected(
            _logger, viewer.Terms.SessionId[..TransportLog.ShownIdLength], $"{pair?.Local} ({pair?.LocalType})", $"{pair?.Remote} ({pair?.RemoteType})",
            status.DtlsVersion ?? "no DTLS", status.SrtpProfile ?? "no SRTP", (long)(SystemClock.Now - viewer.OpenedAt).TotalMilliseconds);
    }

    private void Schedule(Viewer viewer)
    {
        if (viewer.IsRemoved || viewer.Session.NextTimeout >= viewer.TimerAt)
            return;
        Unschedule(viewer);
        viewer.TimerAt = viewer.Session.NextTimeout;
        _timers.Enqueue(viewer, viewer.TimerAt);
    }

    /// <summary>One entry for each viewer and none for those gone: an entry keeps a session's memory until it is due.</summary>
    private void Unschedule(Viewer viewer)
    {
        if (viewer.TimerAt != MonotonicTime.Never)
            _timers.Remove(viewer, out _, out _);
    }

    private void RemoveFaulted(Viewer viewer, Exception error)
    {
        Interlocked.Increment(ref _counters.SessionFaults);
        TransportLog.SessionFaulted(_logger, viewer.Terms.SessionId[..TransportLog.ShownIdLength], error);
        Remove(viewer, $"internal error: {error.Message}");
    }

    private void Remove(Viewer viewer, string reason)
    {
        if (viewer.IsRemoved)
            return;
        viewer.IsRemoved = true;
        _viewers.Remove(viewer);
        Unschedule(viewer);
        _paths.Remove(viewer);
        viewer.Feed.Leave(viewer);
        if (viewer.Terms.Guest is { IsNone: false } host)
            _servers?.Dismiss(host, SystemClock.Now);
        _servers?.Remove(viewer);
        _tcp?.Close(viewer);
        try
        {
            viewer.Session.Dispose();
        }
#pragma warning disable CA1031 // the viewer goes either way
        catch (Exception error)
#pragma warning restore CA1031
        {
            TransportLog.SessionFaulted(_logger, viewer.Terms.SessionId[..TransportLog.ShownIdLength], error);
        }

        Publish();
        _onRemoved(viewer, reason);
    }

    private void CloseAll()
    {
        foreach (var viewer in _viewers.ToArray())
            Apply(viewer, "the agent is shutting down", static (one, reason, now) => one.Session.Close(reason, now));
        DrainViewers();
        _servers?.Close();
        SendToServers();
        _transport.TryFlush();
        foreach (var viewer in _viewers.ToArray())
            Remove(viewer, "the agent is shutting down");
    }
}
