using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using TorchQuant.Kernels.Generated;

namespace TorchQuant.Kernels;

/// <summary>
/// What <see cref="DepthwiseCode"/> needs to know about 64 channels: what <see cref="ByteEpilogue{TLanes, TFloat, TInt}"/> knows, and the weights, all in the order of unpacked
/// channels: in vector v of four, 128-bit lane l holds channels 16 l + 4 v to 16 l + 4 v + 3.
/// </summary>
internal static unsafe class DepthwiseTerms
{
    private const int ArrayBytes = DepthwiseCode.Channels * sizeof(int), VectorBytes = 64;

    /// <summary>int: what a sum begins with, minus the activations' zero point times the sum of the weights.</summary>
    public const int Sums = 0;

    /// <summary>float: biases, in units of the sums when multiplied with <see cref="BiasFactor"/>.</summary>
    public const int Biases = Sums + ArrayBytes;

    /// <summary>float: from sums to codes.</summary>
    public const int Multipliers = Biases + ArrayBytes;

    /// <summary>One float.</summary>
    public const int BiasFactor = Multipliers + ArrayBytes;

    /// <summary>One float: the largest code, counted from the output's zero point.</summary>
    public const int Highest = BiasFactor + sizeof(float);

    /// <summary>The output's zero point as two int16.</summary>
    public const int ZeroPoint = Highest + sizeof(float);

    /// <summary>The smallest code as four bytes.</summary>
    public const int Lowest = ZeroPoint + sizeof(int);

    /// <summary>[output rows][columns of the kernel][groups][64] times four weights along a column.</summary>
    public const int Weights = BiasFactor + 64;

    /// <summary>Bytes of the weights of one group.</summary>
    public const int GroupWeights = ArrayBytes;

    public static int Bytes(in DepthwiseForm form) => checked(Weights + form.RowsTogether * form.WeightsRow);

    /// <summary>Whether biases in units of the sums and multipliers are surely finite, all of them.</summary>
    public static bool AreFinite<TLanes, TFloat, TInt>(in GemmJob job)
        where TLanes : struct, ILanes<TFloat, TInt>
    {
        (float least, float most) = Elementwise<TLanes, TFloat, TInt>.MinMax(job.ColumnScales, job.N);
        float bias = 0;
        if (job.Bias != null)
        {
            (float min, float max) = Elementwise<TLanes, TFloat, TInt>.MinMax(job.Bias, job.N);
            bias = MathF.Max(MathF.Abs(min), MathF.Abs(max));
        }

        // Rounding is monotone: what holds for the ends holds for all.
        float scale = job.Activation.Scale * least;
        return float.IsFinite(job.Activation.Scale * most / job.Requantized.Scale) && float.IsFinite(job.IsPerTensor ? bias * (1f / scale) : bias / scale) && float.IsFinite(1f / scale);
    }

    /// <summary>Writes what belongs to the output and is the same for all channels, and zeros where a kernel of fewer columns has no weights.</summary>
    public static void Begin(in GemmJob job, in DepthwiseForm form, byte* terms)
    {
        new Span<byte>(terms, Bytes(in form)).Clear();
        (int low, int high) = CodeRange.Of(job.Fused, job.Requantized);
        // As in ByteEpilogue: FBGEMM divides biases per channel and multiplies with a reciprocal per tensor.
        *(float*)(terms + BiasFactor) = job.IsPerTensor ? 1f / (job.Activation.Scale * *job.ColumnScales) : 1f;
        *(float*)(terms + Highest) = high - job.Requantized.ZeroPoint;
        *(int*)(terms + ZeroPoint) = job.Requantized.ZeroPoint * 0x00010001;
        *(int*)(terms + Lowest) = low * 0x01010101;
    }

    /// <summary>Writes what belongs to channels from <paramref name="channel"/> on, of one or two panels.</summary>
    /// <param name="job">The convolution.</param>
    /// <param name="channel">The first channel, that of a panel.</param>
    /// <param name="channels">How many, at most 64.</param>
    /// <param name="copies">How many times they lie next to each other in the 64: 1, 2 for at most 32 channels, 4 for at most 16.</param>
    /// <param name="form">The code they are for.</param>
    /// <param name="terms">Receives them.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fill<TLanes, TFloat, TInt>(in GemmJob job, int channel, int channels, int copies, in DepthwiseForm form, byte* terms)
        where TLanes : struct, ILanes<TFloat, TInt>
    {
        float* biases = stackalloc float[DepthwiseCode.Channels], multipliers = stackalloc float[DepthwiseCode.Channels];
        int* sums = stackalloc int[DepthwiseCode.Channels];
        TFloat activationScale = TLanes.Broadcast(job.Activation.Scale), outputScale = TLanes.Broadcast(job.Requantized.Scale);
        TInt zeroPoint = TLanes.BroadcastInt(-job.Activation.ZeroPoint);
        var given = new Span<float>(biases, DepthwiseCode.Channels);
        given.Clear();
        if (job.Bias != null)
            new ReadOnlySpan<float>(job.Bias + channel, channels).CopyTo(given);
        // The packed columns reach to the end of the panel, so whole vectors do.
        int panels = (channels + PackedWeights.PanelColumns - 1) / PackedWeights.PanelColumns, lanes = panels * PackedWeights.PanelColumns;
        for (int c = 0; c < lanes; c += TLanes.Count)
        {
            TFloat scale = TLanes.Multiply(activationScale, TLanes.Load(job.ColumnScales + channel + c));
            if (!job.IsPerTensor)
                TLanes.Store(TLanes.Divide(TLanes.Load(biases + c), scale), biases + c);
            TLanes.Store(TLanes.Divide(scale, outputScale), multipliers + c);
            TLanes.StoreInt(TLanes.MultiplyInt(zeroPoint, TLanes.LoadInt(job.ColumnSums + channel + c)), sums + c);
        }

        // Which channels each vector of 16 is about.
        int period = Math.Min(lanes, DepthwiseCode.Channels / copies), second = 16 % period, third = 32 % period, fourth = 48 % period;
        foreach ((nint numbers, int offset) in (ReadOnlySpan<(nint, int)>)[((nint)biases, Biases), ((nint)multipliers, Multipliers), ((nint)sums, Sums)])
        {
            int* from = (int*)numbers;
            Unpacked.Load(from, from + second, from + third, from + fourth).Store(terms + offset);
        }

        int panel = channel / PackedWeights.PanelColumns, ofPanel = job.Groups * PackedWeights.PanelColumns;
        int* weights = (int*)job.Panels + panel * ofPanel;
        int* Column(int at) => weights + at / PackedWeights.PanelColumns * ofPanel + at % PackedWeights.PanelColumns;
        FillWeights(weights, Column(second), Column(third), Column(fourth), job.Groups, in form, terms + Weights);
    }

    /// <summary>The weights of each output row begin further down in the columns than those of the row before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FillWeights(int* first, int* second, int* third, int* fourth, int groups, in DepthwiseForm form, byte* target)
    {
        const int step = PackedWeights.PanelColumns;
        Unpacked before = default;
        for (int group = 0; group < groups; group++, first += step, second += step, third += step, fourth += step, target += GroupWeights)
        {
            Unpacked weights = Unpacked.Load(first, second, third, fourth);
            weights.Store(target);
            bool hasBefore = group % form.Groups > 0;
            for (int row = 1; row < form.RowsTogether; row++)
            {
                int shift = 8 * row * form.Down;
                Unpacked moved = weights.ShiftLeft(shift);
                (hasBefore ? moved.Or(before.ShiftRight(32 - shift)) : moved).Store(target + row * form.WeightsRow);
            }

            before = weights;
        }
    }

    /// <summary>64 numbers in the order of unpacked channels.</summary>
    private readonly struct Unpacked(Vector512<int> v0, Vector512<int> v1, Vector512<int> v2, Vector512<int> v3)
    {
        private readonly Vector512<int> _v0 = v0, _v1 = v1, _v2 = v2, _v3 = v3;

        /// <summary>Four times 16 numbers, whose 128-bit lanes are transposed.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Unpacked Load(int* first, int* second, int* third, int* fourth)
        {
            Vector512<int> a = Vector512.Load(first), b = Vector512.Load(second), c = Vector512.Load(third), d = Vector512.Load(fourth);
            Vector512<int> lowLeft = Avx512F.Shuffle4x128(a, b, 0x44), lowRight = Avx512F.Shuffle4x128(c, d, 0x44);
            Vector512<int> highLeft = Avx512F.Shuffle4x128(a, b, 0xEE), highRight = Avx512F.Shuffle4x128(c, d, 0xEE);
            return new(
                Avx512F.Shuffle4x128(lowLeft, lowRight, 0x88), Avx512F.Shuffle4x128(lowLeft, lowRight, 0xDD), Avx512F.Shuffle4x128(highLeft, highRight, 0x88), Avx512F.Shuffle4x128(highLeft, highRight, 0xDD));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Unpacked ShiftLeft(int bits) => new(_v0 << bits, _v1 << bits, _v2 << bits, _v3 << bits);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Unpacked ShiftRight(int bits) => new(_v0 >>> bits, _v1 >>> bits, _v2 >>> bits, _v3 >>> bits);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Unpacked Or(in Unpacked other) => new(_v0 | other._v0, _v1 | other._v1, _v2 | other._v2, _v3 | other._v3);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(byte* target)
        {
            _v0.Store((int*)target);
            _v1.Store((int*)(target + VectorBytes));
            _v2.Store((int*)(target + 2 * VectorBytes));
            _v3.Store((int*)(target + 3 * VectorBytes));
        }
    }
}
