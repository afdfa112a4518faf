namespace Agent.Devices.Sources;

/// <summary>Counts the gaps in v4l2_buffer.sequence. One thread, but for the count.</summary>
internal sealed class V4l2SequenceGaps
{
    private uint next;
    private bool hasBegun;
    private long missed;

    /// <summary>Frames that never came. Any thread.</summary>
    public long Missed => Volatile.Read(ref missed);

    /// <summary>
    /// Takes the next number. True for a frame that comes after its successor: uvcvideo copies frames on several processors and may finish
    /// them in another order. A larger step back is a driver that began its count anew.
    /// </summary>
    /// <param name="sequence">v4l2_buffer.sequence, which may wrap.</param>
    /// <param name="buffers">As many frames can be under way at once.</param>
    public bool IsLate(uint sequence, int buffers)
    {
        var step = hasBegun ? (int)(sequence - next) : 0;
        if (step < 0 && step >= -buffers)
        {
            // It was counted as missed when its successor came.
            missed--;
            return true;
        }

        missed += Math.Max(step, 0);
        (next, hasBegun) = (sequence + 1, true);
        return false;
    }
}
