using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Requantizes tiles of raw sums: what depends on the column alone is computed once for a panel (<see cref="Prepare"/>) and serves all its tiles. The sums are corrected
/// for the zero points as in <see cref="GemmEpilogue{TLanes, TFloat, TInt}"/>. Written once for every vector width.
/// </summary>
internal static unsafe class ByteEpilogue<TLanes, TFloat, TInt>
    where TLanes : struct, ILanes<TFloat, TInt>
{
    private const int InfinityBits = 0x7F800000;

    /// <summary>Computes the terms of columns [column, column + columns), which begin a panel.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Prepare(ref readonly GemmJob job, int column, int columns, ByteTerms* terms)
    {
        const int BoundBits = (30 + 127) << 23;
        const float LargestProduct = byte.MaxValue * 256f;
        float* biases = job.Bias + column, padded = stackalloc float[PackedWeights.PanelColumns];
        if (job.Bias == null || columns < PackedWeights.PanelColumns)
            biases = Pad(job.Bias == null ? null : biases, columns, padded);
        // FBGEMM divides per channel. Per tensor it multiplies by the reciprocal, and its compiler fuses that with the addition; so do we, to agree with it in every code.
        terms->BiasFactor = job.IsPerTensor ? 1f / (job.Activation.Scale * job.ColumnScales[column]) : 1f;
        TFloat activationScale = TLanes.Broadcast(job.Activation.Scale), outputScale = TLanes.Broadcast(job.Requantized.Scale), factor = TLanes.Broadcast(terms->BiasFactor);
        TFloat largestSum = TLanes.Broadcast(job.K * LargestProduct);
        TInt zeroPoint = TLanes.BroadcastInt(job.Activation.ZeroPoint), magnitude = TLanes.BroadcastInt(int.MaxValue), bound = TLanes.BroadcastInt(0), largest = bound;
        // The packed columns reach to the end of the panel, so whole vectors do. The padding has the scale 1 and the bias 0: it is finite, and no larger than columns are.
        for (int c = 0; c < columns; c += TLanes.Count)
        {
            TFloat scale = TLanes.Multiply(activationScale, TLanes.Load(job.ColumnScales + column + c)), bias = TLanes.Load(biases + c);
            if (!job.IsPerTensor)
                bias = TLanes.Divide(bias, scale);
            TFloat multiplier = job.Fused == FusedActivation.Hardswish ? scale : TLanes.Divide(scale, outputScale);
            TLanes.Store(bias, terms->Biases + c);
            TLanes.Store(multiplier, terms->Multipliers + c);
            TLanes.StoreInt(TLanes.MultiplyInt(zeroPoint, TLanes.LoadInt(job.ColumnSums + column + c)), terms->Corrections + c);
            // Magnitudes are in the order of their bits, NaN above infinity.
            TInt biasBits = TLanes.AndInt(TLanes.AsInt(TLanes.Multiply(bias, factor)), magnitude), multiplierBits = TLanes.AndInt(TLanes.AsInt(multiplier), magnitude);
            largest = TLanes.MaxInt(largest, TLanes.MaxInt(biasBits, multiplierBits));
            TFloat scaled = TLanes.Multiply(TLanes.Add(largestSum, TLanes.AsFloat(biasBits)), TLanes.AsFloat(multiplierBits));
            bound = TLanes.MaxInt(bound, TLanes.AndInt(TLanes.AsInt(scaled), magnitude));
        }

        (int low, int high) = CodeRange.Of(job.Fused, job.Requantized);
        (terms->Lowest, terms->Highest) = (low - job.Requantized.ZeroPoint, high - job.Requantized.ZeroPoint);
        terms->IsBounded = TLanes.MaxAcrossInt(bound) < BoundBits;
        terms->IsFinite = terms->IsBounded || TLanes.MaxAcrossInt(largest) < InfinityBits;
    }

    private static float* Pad(float* biases, int columns, float* padded)
    {
        new Span<float>(padded, PackedWeights.PanelColumns).Clear();
        if (biases != null)
            new ReadOnlySpan<float>(biases, columns).CopyTo(new Span<float>(padded, columns));
        return padded;
    }

    /// <summary>Finishes rows [row, row + rows) and columns [column, column + columns) of the output; the tile's rows are 32 apart.</summary>
    public static void Apply(ref readonly GemmJob job, ByteTerms* terms, int* tile, int row, int rows, int column, int columns)
    {
        if (job.Fused == FusedActivation.Hardswish)
            Apply<Hardswish>(in job, terms, tile, row, rows, column, columns);
        else if (terms->IsFinite)
            Apply<Finite>(in job, terms, tile, row, rows, column, columns);
        else
            Apply<Any>(in job, terms, tile, row, rows, column, columns);
    }

    private static void Apply<TScaling>(ref readonly GemmJob job, ByteTerms* terms, int* tile, int row, int rows, int column, int columns)
        where TScaling : struct, IScaling
    {
        byte* output = (byte*)job.Output + row * job.OutputStride + column;
        int c = columns / TLanes.Count * TLanes.Count;
        Apply<TScaling>(in job, terms, tile, row, rows, column, 0, c, output, job.OutputStride);
        if (c < columns)
            ApplyRest<TScaling>(in job, terms, tile, row, rows, column, c, columns, output + c);
    }

    /// <summary>Columns that are no whole vector: computed as one, and copied as far as they go.</summary>
    private static void ApplyRest<TScaling>(ref readonly GemmJob job, ByteTerms* terms, int* tile, int row, int rows, int column, int c, int columns, byte* output)
        where TScaling : struct, IScaling
    {
        const int RowsAtOnce = 16;
        byte* codes = stackalloc byte[RowsAtOnce * PackedWeights.PanelColumns];
        for (int done = 0; done < rows; done += RowsAtOnce)
        {
            int count = Math.Min(RowsAtOnce, rows - done);
            Apply<TScaling>(in job, terms, tile + done * PackedWeights.PanelColumns, row + done, count, column, c, c + TLanes.Count, codes, PackedWeights.PanelColumns);
            SegmentCopy.Copy(codes, PackedWeights.PanelColumns, output + done * job.OutputStride, job.OutputStride, count, columns - c);
        }
    }

    /// <summary>Whole vectors of columns first to end - 1 of the panel that begins at <paramref name="column"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply<TScaling>(ref readonly GemmJob job, ByteTerms* terms, int* tile, int row, int rows, int column, int first, int end, byte* output, nint stride)
        where TScaling : struct, IScaling
    {
        TFloat lowest = TLanes.Broadcast(terms->Lowest), highest = TLanes.Broadcast(terms->Highest), inverse = TLanes.Broadcast(1f / job.Requantized.Scale);
        TFloat biasFactor = TLanes.Broadcast(terms->BiasFactor);
        TInt zeroPoint = TLanes.BroadcastInt(job.Requantized.ZeroPoint);
        int* rowSums = job.RowSums == null ? null : job.RowSums + row;
        for (int c = first; c < end; c += TLanes.Count, output += TLanes.Count)
        {
            TInt correction = TLanes.LoadInt(terms->Corrections + c), weightZero = TLanes.BroadcastInt(0);
            if (rowSums != null)
                weightZero = TLanes.LoadInt(job.ColumnZeroPoints + column + c);
            TFloat bias = TLanes.Load(terms->Biases + c), multiplier = TLanes.Load(terms->Multipliers + c);
            byte* target = output;
            int* sums = tile + c;
            for (int r = 0; r < rows; r++, sums += PackedWeights.PanelColumns, target += stride)
            {
                TInt sum = TLanes.SubtractInt(TLanes.LoadInt(sums), correction);
                if (rowSums != null)
                    sum = TLanes.SubtractInt(sum, TLanes.MultiplyInt(TLanes.BroadcastInt(rowSums[r]), weightZero));
                TFloat raw = TLanes.FusedMultiplyAdd(bias, biasFactor, TLanes.ToFloat(sum));
                TFloat scaled = TScaling.Scale<TLanes, TFloat, TInt>(raw, multiplier, inverse);
                TLanes.StoreBytes(Elementwise<TLanes, TFloat, TInt>.NumbersToCodes(scaled, lowest, highest, zeroPoint), target);
            }
        }
    }

    /// <summary>From a sum, in units of the sums, to a number of codes that is not NaN.</summary>
    private interface IScaling
    {
        static abstract TF Scale<TL, TF, TI>(TF raw, TF multiplier, TF inverse) where TL : struct, ILanes<TF, TI>;
    }

    /// <summary>Finite multipliers and biases: the product can overflow, but it cannot be NaN.</summary>
    private readonly struct Finite : IScaling
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TF Scale<TL, TF, TI>(TF raw, TF multiplier, TF inverse) where TL : struct, ILanes<TF, TI> => TL.Multiply(raw, multiplier);
    }

    private readonly struct Any : IScaling
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TF Scale<TL, TF, TI>(TF raw, TF multiplier, TF inverse) where TL : struct, ILanes<TF, TI> => TL.ZeroIfNaN(TL.Multiply(raw, multiplier));
    }

    private readonly struct Hardswish : IScaling
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TF Scale<TL, TF, TI>(TF raw, TF multiplier, TF inverse)
            where TL : struct, ILanes<TF, TI>
        {
            TF y = TL.Multiply(raw, multiplier);
            TF gate = TL.Min(TL.Max(TL.Add(y, TL.Broadcast(3)), TL.Broadcast(0)), TL.Broadcast(6));
            return TL.ZeroIfNaN(TL.Multiply(TL.Divide(TL.Multiply(y, gate), TL.Broadcast(6)), inverse));
        }
    }
}
