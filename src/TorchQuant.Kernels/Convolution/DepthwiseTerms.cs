using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchQuant.Kernels.Generated;

namespace TorchQuant.Kernels;

/// <summary>
/// What <see cref="DepthwiseCode"/> needs to know about 64 channels: what <see cref="ByteEpilogue{TLanes, TFloat, TInt}"/> knows, and the weights, all in the order of unpacked
/// channels: in vector v of four, 128-bit lane l holds channels 16 l + 4 v to 16 l + 4 v + 3.
/// </summary>
internal static unsafe class DepthwiseTerms
{
    private const int ArrayBytes = DepthwiseCode.Channels * sizeof(int), Parts = 4, PartLanes = DepthwiseCode.Channels / Parts / Parts;

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

    /// <summary>[output rows][columns of the kernel][64] times four weights along a column.</summary>
    public const int Weights = BiasFactor + 64;

    private const int RowWeights = DepthwiseCode.Taps * ArrayBytes;

    public const int Bytes = Weights + DepthwiseCode.MaxRows * RowWeights;

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
    public static void Begin(in GemmJob job, byte* terms)
    {
        new Span<byte>(terms, Bytes).Clear();
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
    /// <param name="down">For the second of two output rows, how many elements of a column further down it begins; 0 if there is one row.</param>
    /// <param name="terms">Receives them.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fill<TLanes, TFloat, TInt>(in GemmJob job, int channel, int channels, int copies, int down, byte* terms)
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

        lanes = Math.Min(lanes, DepthwiseCode.Channels / copies);
        Reorder((int*)biases, lanes, copies, 0, terms + Biases);
        Reorder((int*)multipliers, lanes, copies, 0, terms + Multipliers);
        Reorder(sums, lanes, copies, 0, terms + Sums);
        lanes = Math.Min(lanes, PackedWeights.PanelColumns);
        int panel = channel / PackedWeights.PanelColumns, ofPanel = job.Groups * PackedWeights.PanelColumns;
        for (int p = 0; p < panels; p++)
        {
            int* weights = (int*)job.Panels + (panel + p) * ofPanel;
            for (int tap = 0; tap < job.Groups; tap++, weights += PackedWeights.PanelColumns)
            {
                byte* target = terms + Weights + tap * ArrayBytes + p * 2 * Vector128<byte>.Count;
                Reorder(weights, lanes, copies, 0, target);
                if (down > 0)
                    Reorder(weights, lanes, copies, 8 * down, target + RowWeights);
            }
        }
    }

    /// <summary>Puts a multiple of 16 numbers, each shifted left, into the order of unpacked channels, and copies of them after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Reorder(int* source, int count, int copies, int shift, byte* target)
    {
        for (; copies > 0; copies--)
        {
            int* from = source;
            for (int lane = 0; lane < count / (Parts * PartLanes); lane++, target += Vector128<byte>.Count)
            {
                for (int v = 0; v < Parts; v++, from += PartLanes)
                    (Vector128.Load(from) << shift).Store((int*)(target + v * DepthwiseCode.Channels));
            }
        }
    }
}
