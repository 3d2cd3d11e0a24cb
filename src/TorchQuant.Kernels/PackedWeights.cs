namespace TorchQuant.Kernels;

/// <summary>
/// Int8 weights [N, K] = [out, in] in the one layout that every micro-kernel reads: panels of 32 output columns, in each panel the K dimension in groups of four,
/// <c>[N/32][K/4][32][4]</c>, 128 bytes a group, zeros where N or K is no multiple. The sums of the columns, which pay for the activations' zero point,
/// are taken while packing. Immutable, so any number of threads may share it.
/// </summary>
public sealed unsafe class PackedWeights
{
    internal const int PanelColumns = 32;
    internal const int GroupDepth = 4;
    internal const int GroupBytes = PanelColumns * GroupDepth;

    private readonly float[] _scales;
    private readonly int[] _zeroPoints;
    private readonly sbyte[] _panelMemory;
    private readonly byte[] _columnMemory;
    private bool _isBackwards;

    private PackedWeights(int outFeatures, int inFeatures, float[] scales, int[] zeroPoints)
    {
        (OutFeatures, InFeatures) = (outFeatures, inFeatures);
        (_scales, _zeroPoints) = (scales, zeroPoints);
        PanelCount = (outFeatures + PanelColumns - 1) / PanelColumns;
        GroupCount = (inFeatures + GroupDepth - 1) / GroupDepth;
        long panelBytes = (long)PanelCount * GroupCount * GroupBytes;
        if (panelBytes + CacheLine.Bytes > Array.MaxLength)
            throw new ArgumentException($"The weights take {panelBytes} bytes; expected at most {Array.MaxLength - CacheLine.Bytes}.", nameof(outFeatures));

        // Pinned arrays: their address is fixed, so they can be aligned, and the garbage collector owns them.
        _panelMemory = GC.AllocateArray<sbyte>((int)panelBytes + CacheLine.Bytes, pinned: true);
        int columns = PanelCount * PanelColumns;
        _columnMemory = GC.AllocateArray<byte>(3 * columns * sizeof(int) + CacheLine.Bytes, pinned: true);
        fixed (sbyte* memory = _panelMemory)
            Panels = (sbyte*)CacheLine.Align(memory);
        LargePages.Ask(Panels, (nint)panelBytes);
        fixed (byte* memory = _columnMemory)
            ColumnScales = (float*)CacheLine.Align(memory);
        ColumnSums = (int*)(ColumnScales + columns);
        ColumnZeroPoints = ColumnSums + columns;
    }

    /// <summary>N: the number of outputs.</summary>
    public int OutFeatures { get; }

    /// <summary>K: the number of inputs.</summary>
    public int InFeatures { get; }

    /// <summary>One scale, or one for each output.</summary>
    public ReadOnlySpan<float> Scales => _scales;

    /// <summary>The zero points as packed: one, or one for each output. Zeros if none were given, then as many as <see cref="Scales"/>.</summary>
    public ReadOnlySpan<int> ZeroPoints => _zeroPoints;

    internal int PanelCount { get; }

    internal int GroupCount { get; }

    internal sbyte* Panels { get; }

    /// <summary>The scale of each column, padded to whole panels with the last.</summary>
    internal float* ColumnScales { get; }

    /// <summary>For each column the sum over k of (code - zero point).</summary>
    internal int* ColumnSums { get; }

    internal int* ColumnZeroPoints { get; }

    /// <summary>Whether all zero points are 0, so that the sums of the activations' rows are not needed.</summary>
    internal bool IsSymmetric { get; private init; }

    /// <summary>Packs weights.</summary>
    /// <param name="weights">The codes, row-major [outFeatures, inFeatures].</param>
    /// <param name="outFeatures">N, at least 1.</param>
    /// <param name="inFeatures">K, at least 1.</param>
    /// <param name="scales">One scale, or one for each output.</param>
    /// <param name="zeroPoints">Nothing (all 0), one zero point, or one for each output.</param>
    /// <exception cref="ArgumentException">Lengths do not fit, a scale or zero point is out of its range, or a column is so large that its product with 8-bit activations could leave int32.</exception>
    public static PackedWeights Pack(ReadOnlySpan<sbyte> weights, int outFeatures, int inFeatures, ReadOnlySpan<float> scales, ReadOnlySpan<int> zeroPoints = default) =>
        Pack(weights, outFeatures, inFeatures, scales, zeroPoints, firstOutput: 0);

    /// <summary>Packs the weights of outputs that are counted from <paramref name="firstOutput"/> in messages.</summary>
    internal static PackedWeights Pack(ReadOnlySpan<sbyte> weights, int outFeatures, int inFeatures, ReadOnlySpan<float> scales, ReadOnlySpan<int> zeroPoints, int firstOutput)
    {
        Argument.IsAtLeast(outFeatures, 1, nameof(outFeatures));
        Argument.IsAtLeast(inFeatures, 1, nameof(inFeatures));
        Argument.HasLength(weights.Length, (long)outFeatures * inFeatures, nameof(weights), "outFeatures * inFeatures");
        CheckParameters(outFeatures, scales, zeroPoints);
        int[] kept = zeroPoints.IsEmpty ? new int[scales.Length] : zeroPoints.ToArray();
        var packed = new PackedWeights(outFeatures, inFeatures, scales.ToArray(), kept) { IsSymmetric = !zeroPoints.ContainsAnyExcept(0) };
        for (int column = 0; column < outFeatures; column++)
            packed.PackColumn(weights.Slice(column * inFeatures, inFeatures), column, firstOutput + column);
        // What is computed from the padding is not used, but it should be as finite as the rest.
        new Span<float>(packed.ColumnScales + outFeatures, packed.PanelCount * PanelColumns - outFeatures).Fill(packed.ColumnScales[outFeatures - 1]);
        return packed;
    }

    /// <summary>Writes the codes back, row-major [OutFeatures, InFeatures], exactly as they were packed.</summary>
    /// <param name="weights">Receives OutFeatures * InFeatures codes.</param>
    /// <exception cref="ArgumentException"><paramref name="weights"/> has another length.</exception>
    public void Unpack(Span<sbyte> weights)
    {
        Argument.HasLength(weights.Length, (long)OutFeatures * InFeatures, nameof(weights), "OutFeatures * InFeatures");
        for (int column = 0; column < OutFeatures; column++)
        {
            sbyte* packed = Column(column);
            Span<sbyte> row = weights.Slice(column * InFeatures, InFeatures);
            for (int k = 0; k < row.Length; k++)
                row[k] = packed[Offset(k)];
        }
    }

    /// <summary>Refuses scales and zero points that are not one for all or one for each output, or out of their range.</summary>
    internal static void CheckParameters(int outputs, ReadOnlySpan<float> scales, ReadOnlySpan<int> zeroPoints)
    {
        Argument.HasLength(scales.Length, 1, outputs, nameof(scales), "per tensor or one for each output");
        if (!zeroPoints.IsEmpty)
            Argument.HasLength(zeroPoints.Length, 1, outputs, nameof(zeroPoints), "per tensor or one for each output");
        foreach (float scale in scales)
            Argument.IsScale(scale, nameof(scales));
        foreach (int zeroPoint in zeroPoints)
            Argument.IsZeroPoint(zeroPoint, sbyte.MinValue, sbyte.MaxValue, nameof(zeroPoints));
    }

    private void PackColumn(ReadOnlySpan<sbyte> row, int column, int output)
    {
        int zeroPoint = _zeroPoints[_zeroPoints.Length == 1 ? 0 : column];
        long sum = 0, magnitude = 0;
        sbyte* packed = Column(column);
        for (int k = 0; k < row.Length; k++)
        {
            packed[Offset(k)] = row[k];
            sum += row[k] - zeroPoint;
            magnitude += Math.Abs(row[k] - zeroPoint);
        }

        if (magnitude * byte.MaxValue > int.MaxValue)
            throw new ArgumentException($"The weights of output {output} have the absolute sum {magnitude}; expected at most {int.MaxValue / byte.MaxValue}, so that no sum of products with 8-bit activations leaves int32. Split the layer along its inputs.", nameof(row));
        ColumnSums[column] = (int)sum;
        ColumnZeroPoints[column] = zeroPoint;
        ColumnScales[column] = _scales[_scales.Length == 1 ? 0 : column];
    }

    private sbyte* Column(int column) =>
        Panels + (long)(column / PanelColumns) * GroupCount * GroupBytes + column % PanelColumns * GroupDepth;

    private static long Offset(int k) => (long)(k / GroupDepth) * GroupBytes + k % GroupDepth;

    /// <summary>
    /// Whether a product of few rows, which reads all weights once, should go through them from the end: in turns, because what the one before read last is what the cache
    /// still holds of weights that do not fit it. Calls on several threads at once may take the same turn, which costs time and nothing else.
    /// </summary>
    internal bool TakeTurn() => _isBackwards = !_isBackwards;
}
