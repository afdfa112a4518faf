namespace Agent.Devices.Gpio;

/// <summary>What somebody did with a button.</summary>
public enum ButtonAction
{
    /// <summary>It went down.</summary>
    Press,
    /// <summary>It came up.</summary>
    Release,
    /// <summary>One short press, and no other soon after.</summary>
    Single,
    Double,
    Triple,
    /// <summary>It has been down for long.</summary>
    Long,
    /// <summary>And still is.</summary>
    Repeat,
}

/// <summary>
/// Tells what somebody does with a button from when it goes down and comes up. Takes times only, so that a change which is told of late is
/// understood the same. Presses count up to three; a long one ends the counting.
/// </summary>
/// <param name="longPress">How long a long press is.</param>
/// <param name="multiPress">From a release, the time within which another press belongs to it; zero knows single presses only.</param>
/// <param name="repeat">Between repetitions while the button is held; zero has none.</param>
/// <param name="tell">Gets what is understood.</param>
internal sealed class ButtonPresses(TimeSpan longPress, TimeSpan multiPress, TimeSpan repeat, Action<ButtonAction> tell)
{
    private static readonly ButtonAction[] Counted = [ButtonAction.Single, ButtonAction.Double, ButtonAction.Triple];

    private static readonly TimeSpan Never = TimeSpan.MaxValue;

    private bool _isDown;
    private bool _isLong;
    private int _count;
    private TimeSpan _due = Never;

    /// <summary>The button is this, whoever pressed it: what goes on is forgotten, and a press that began unseen tells nothing.</summary>
    public void Reset(bool isDown)
    {
        (_isDown, _isLong, _count, _due) = (isDown, isDown, 0, Never);
    }

    /// <summary>The button is this since then; the same as before changes nothing.</summary>
    public void Change(bool isDown, TimeSpan time)
    {
        Advance(time);
        if (isDown == _isDown) return;
        _isDown = isDown;
        if (isDown) GoDown(time);
        else ComeUp(time);
    }

    /// <summary>Tells what time alone has made true.</summary>
    /// <returns>When there will be more, <see cref="TimeSpan.MaxValue"/> for not before a change.</returns>
    public TimeSpan Advance(TimeSpan now)
    {
        while (now >= _due)
        {
            Conclude();
            if (!_isDown) break;
            tell(_isLong ? ButtonAction.Repeat : ButtonAction.Long);
            _isLong = true;
            _due = repeat > TimeSpan.Zero ? _due + repeat : Never;
        }
        return _due;
    }

    private void GoDown(TimeSpan time)
    {
        tell(ButtonAction.Press);
        _isLong = false;
        _due = time + longPress;
    }

    private void ComeUp(TimeSpan time)
    {
        tell(ButtonAction.Release);
        _due = Never;
        if (_isLong) return;
        _count++;
        if (multiPress == TimeSpan.Zero || _count == Counted.Length) Conclude();
        else _due = time + multiPress;
    }

    /// <summary>The short presses so far are all there are.</summary>
    private void Conclude()
    {
        if (_count > 0) tell(Counted[_count - 1]);
        _count = 0;
        if (!_isDown) _due = Never;
    }
}
