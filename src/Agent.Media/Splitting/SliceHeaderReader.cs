namespace Agent.Media.Splitting;

/// <summary>Reads slice headers (H.264 §7.3.3) by the parameter sets that came before them. For one thread.</summary>
internal sealed class SliceHeaderReader
{
    /// <summary>Parameter set identifiers are below these (§7.4.2.1.1, §7.4.2.2).</summary>
    private const int SequenceSets = 32;
    private const int PictureSets = 256;

    /// <summary>nal_ref_idc in a NAL unit's header byte (§7.3.1).</summary>
    private const byte ReferenceMask = 0x60;

    private readonly SliceSyntax?[] _sequenceSets = new SliceSyntax?[SequenceSets];
    private readonly PictureSet?[] _pictureSets = new PictureSet?[PictureSets];

    private readonly record struct PictureSet(byte SequenceSet, bool HasBottomDelta);

    /// <summary>Takes in a whole parameter set; passes over any other NAL unit and what cannot be read.</summary>
    public void Learn(ReadOnlySpan<byte> nalUnit)
    {
        if (nalUnit.IsEmpty) return;
        if (SpsReader.TryRead(nalUnit, out var sps)) _sequenceSets[sps.Slices.Id] = sps.Slices;
        if (NalUnit.TypeOf(nalUnit[0]) != NalUnitType.PictureParameterSet) return;
        var bits = new RbspReader(nalUnit[1..]);
        var id = bits.ReadUnsigned();
        var sequenceSet = bits.ReadUnsigned();
        bits.ReadBits(1); // entropy_coding_mode_flag
        var hasBottomDelta = bits.ReadBits(1) != 0;
        if (bits.Failed || id >= PictureSets || sequenceSet >= SequenceSets) return;
        _pictureSets[id] = new PictureSet((byte)sequenceSet, hasBottomDelta);
    }

    /// <summary>
    /// Reads the header of a slice whose NAL unit may not have come to its end. False if that takes more bytes than there are or breaks the
    /// specification's ranges. Where the parameter sets are not known, the fields that need them are left at zero.
    /// </summary>
    public bool TryRead(ReadOnlySpan<byte> nalUnit, out SliceHeader header)
    {
        header = default;
        if (nalUnit.IsEmpty) return false;
        var bits = new RbspReader(nalUnit[1..]);
        var firstMacroblock = bits.ReadUnsigned();
        bits.ReadUnsigned(); // slice_type
        var id = bits.ReadUnsigned();
        if (bits.Failed || id >= PictureSets) return false;
        var isIdr = NalUnit.TypeOf(nalUnit[0]) == NalUnitType.IdrSlice;
        header = new SliceHeader(firstMacroblock, id, (nalUnit[0] & ReferenceMask) != 0, isIdr);
        if (_pictureSets[id] is not { } pictureSet || _sequenceSets[pictureSet.SequenceSet] is not { } syntax) return true;

        if (syntax.HasSeparatePlanes) bits.ReadBits(2); // colour_plane_id
        var frameNumber = bits.ReadBits(syntax.FrameNumberBits);
        var field = 0;
        if (syntax.HasFields && bits.ReadBits(1) != 0) field = bits.ReadBits(1) != 0 ? 2 : 1;
        var idrPictureId = isIdr ? bits.ReadUnsigned() : 0;
        uint orderCount = 0;
        int delta0 = 0, delta1 = 0;
        var hasBottomDelta = pictureSet.HasBottomDelta && field == 0;
        if (syntax.OrderCountType == 0)
        {
            orderCount = bits.ReadBits(syntax.OrderCountBits);
            if (hasBottomDelta) delta0 = bits.ReadSigned();
        }
        else if (syntax.HasOrderCountDeltas)
        {
            delta0 = bits.ReadSigned();
            if (hasBottomDelta) delta1 = bits.ReadSigned();
        }
        header = header with
        {
            FrameNumber = frameNumber, Field = field, IdrPictureId = idrPictureId, OrderCount = orderCount, OrderCountDelta0 = delta0,
            OrderCountDelta1 = delta1,
        };
        return !bits.Failed;
    }
}
