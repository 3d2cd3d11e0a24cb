using System.Buffers;
using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// An affine map of each channel of codes, which is what batch normalization is when it does not train: code = clamp(round_half_even(fma(multiplier[c], float(q - zi), addend[c])) + zo,
/// lowest, highest), not below zo if ReLU is fused. With <see cref="Fold"/> these are the integers of libtorch's quantized::batch_norm2d and 3d and their ReLU forms. They are those
/// of "dequantize, normalize in float, quantize" but next to ties, where a code differs by one.
/// </summary>
public static unsafe class Int8BatchNorm
{
    /// <summary>Codes that are done at a time: their numbers, eight bytes for each, stay in the first cache.</summary>
    private const int PieceLength = 1024;

    /// <summary>Measured where the codes come from the cache: what sharing among threads is judged by.</summary>
    private const int CodesPerNanosecond = 10;

    /// <summary>
    /// The numbers of each channel, in libtorch's order of operations: with r = 1 / sqrt(variance + eps), multiplier = r * weight * (si / so) and addend = (bias - mean * r * weight) / so,
    /// where what has a scale in it is double and the rest float.
    /// </summary>
    /// <param name="weight">The weight (gamma) of each channel, or none: 1.</param>
    /// <param name="bias">The bias (beta) of each channel, or none: 0.</param>
    /// <param name="mean">The running mean of each channel.</param>
    /// <param name="variance">The running variance of each channel.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="inputScale">The scale of the input's codes; tensors keep it as a double.</param>
    /// <param name="outputScale">The scale of the output's codes.</param>
    /// <param name="multipliers">Receives one number for each channel.</param>
    /// <param name="addends">Receives one number for each channel.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a scale is out of its range.</exception>
    public static void Fold(
        ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, ReadOnlySpan<float> mean, ReadOnlySpan<float> variance, float eps, double inputScale, double outputScale,
        Span<float> multipliers, Span<float> addends)
    {
        int channels = mean.Length;
        Argument.HasLength(weight.Length, 0, channels, nameof(weight), "none, or one for each channel");
        Argument.HasLength(bias.Length, 0, channels, nameof(bias), "none, or one for each channel");
        Argument.HasLength(variance.Length, channels, nameof(variance), "one for each channel");
        Argument.HasLength(multipliers.Length, channels, nameof(multipliers), "one for each channel");
        Argument.HasLength(addends.Length, channels, nameof(addends), "one for each channel");
        Argument.IsScale((float)inputScale, nameof(inputScale));
        Argument.IsScale((float)outputScale, nameof(outputScale));
        double ratio = inputScale / outputScale;
        for (int c = 0; c < channels; c++)
        {
            float inverse = 1f / MathF.Sqrt(variance[c] + eps), gamma = weight.IsEmpty ? 1f : weight[c], beta = bias.IsEmpty ? 0f : bias[c];
            multipliers[c] = (float)(inverse * gamma * ratio);
            addends[c] = (float)((beta - mean[c] * inverse * gamma) / outputScale);
        }
    }

    /// <summary>Maps codes [outer, channels, inner]: channels last is inner = 1, and one picture after the other [N, C, H * W] is inner = H * W.</summary>
    /// <param name="codes">The codes, row-major.</param>
    /// <param name="inner">How many codes of one channel stand together, at least 1.</param>
    /// <param name="inputZeroPoint">The zero point of the codes, within 0..255.</param>
    /// <param name="multipliers">One number for each channel: see <see cref="Fold"/>.</param>
    /// <param name="addends">One number for each channel.</param>
    /// <param name="output">Receives as many codes; may be the memory of <paramref name="codes"/>.</param>
    /// <param name="outParams">The zero point of the output's codes, within 0..255, and their range; the scale is in the multipliers.</param>
    /// <param name="relu">Whether negative results become 0.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a parameter is out of its range.</exception>
    public static void Apply(
        ReadOnlySpan<byte> codes, int inner, int inputZeroPoint, ReadOnlySpan<float> multipliers, ReadOnlySpan<float> addends, Span<byte> output, QParams outParams,
        bool relu = false, int threads = 1) =>
        Apply(Isa.Current, codes, inner, inputZeroPoint, multipliers, addends, output, outParams, relu, threads);

    internal static void Apply(
        Isa isa, ReadOnlySpan<byte> codes, int inner, int inputZeroPoint, ReadOnlySpan<float> multipliers, ReadOnlySpan<float> addends, Span<byte> output, QParams outParams,
        bool relu, int threads)
    {
        int channels = multipliers.Length;
        Argument.HasLength(output.Length, codes.Length, nameof(output), "as many as codes");
        Argument.HasLength(addends.Length, channels, nameof(addends), "as many as multipliers");
        Argument.IsAtLeast(inner, 1, nameof(inner));
        Argument.IsAtLeast(threads, 1, nameof(threads));
        Argument.IsZeroPoint(inputZeroPoint, byte.MinValue, byte.MaxValue, nameof(inputZeroPoint));
        Argument.IsZeroPoint(outParams.ZeroPoint, byte.MinValue, byte.MaxValue, nameof(outParams));
        Argument.IsCodeRange(outParams.Lowest, outParams.Highest, byte.MinValue, byte.MaxValue);
        Argument.IsFinite(multipliers, nameof(multipliers));
        Argument.IsFinite(addends, nameof(addends));
        if (channels == 0 ? !codes.IsEmpty : codes.Length % ((long)channels * inner) != 0)
            throw new ArgumentException($"codes has {codes.Length} elements; expected a multiple of {channels} channels times {inner}.", nameof(codes));
        if (codes.IsEmpty)
            return;
        var range = new Range(inputZeroPoint, outParams, relu);
        fixed (byte* source = codes, target = output)
        fixed (float* multiplier = multipliers, addend = addends)
        {
            if (inner == 1)
                RunChannelsLast(isa, source, target, codes.Length, multiplier, addend, channels, range, threads);
            else
                isa.Run(new RowLoop<Planes>(new Planes(source, target, inner, channels, multiplier, addend, range), codes.Length / inner, threads, 1 + inner / CodesPerNanosecond));
        }
    }

    /// <summary>The numbers of the channels are repeated until they fill a piece: a row of three channels would be no vector.</summary>
    private static void RunChannelsLast(Isa isa, byte* source, byte* target, int length, float* multipliers, float* addends, int channels, Range range, int threads)
    {
        int repeats = Math.Min(length / channels, Math.Max(1, PieceLength / channels)), pieceLength = repeats * channels;
        float[] rented = ArrayPool<float>.Shared.Rent(2 * pieceLength);
        fixed (float* numbers = rented)
        {
            RepeatedRow.Fill(new ReadOnlySpan<float>(multipliers, channels), new Span<float>(numbers, pieceLength));
            RepeatedRow.Fill(new ReadOnlySpan<float>(addends, channels), new Span<float>(numbers + pieceLength, pieceLength));
            var pieces = new Pieces(source, target, length, pieceLength, numbers, numbers + pieceLength, range);
            isa.Run(new RowLoop<Pieces>(pieces, (int)((length + (long)pieceLength - 1) / pieceLength), threads, 1 + pieceLength / CodesPerNanosecond));
        }

        ArrayPool<float>.Shared.Return(rented);
    }

    /// <summary>What is the same for all channels.</summary>
    private readonly struct Range(int inputZeroPoint, QParams output, bool relu)
    {
        private readonly int _lowest = CodeRange.LowestFromZero(output, relu), _highest = output.Highest - output.ZeroPoint, _zeroPoint = output.ZeroPoint;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TInt Codes<TLanes, TFloat, TInt>(byte* source, TFloat multiplier, TFloat addend) where TLanes : struct, ILanes<TFloat, TInt>
        {
            TFloat x = TLanes.ToFloat(TLanes.SubtractInt(TLanes.LoadBytes(source), TLanes.BroadcastInt(inputZeroPoint)));
            return Elementwise<TLanes, TFloat, TInt>.ToCodes(
                TLanes.FusedMultiplyAdd(multiplier, x, addend), TLanes.Broadcast(_lowest), TLanes.Broadcast(_highest), TLanes.BroadcastInt(_zeroPoint));
        }
    }

    private readonly struct Pieces(byte* source, byte* target, int length, int pieceLength, float* multipliers, float* addends, Range range) : IRowBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>
        {
            nint start = row * pieceLength;
            new CodeLoop<Piece>(new Piece(source + start, multipliers, addends, range), target + start, nint.Min(pieceLength, length - start)).Run<TLanes, TFloat, TInt>();
        }
    }

    private readonly struct Piece(byte* source, float* multipliers, float* addends, Range range) : ICodeLoop
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TInt At<TLanes, TFloat, TInt>(nint i) where TLanes : struct, ILanes<TFloat, TInt> =>
            range.Codes<TLanes, TFloat, TInt>(source + i, TLanes.Load(multipliers + i), TLanes.Load(addends + i));
    }

    private readonly struct Planes(byte* source, byte* target, int inner, int channels, float* multipliers, float* addends, Range range) : IRowBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>
        {
            var plane = new Plane(source + row * inner, multipliers[row % channels], addends[row % channels], range);
            new CodeLoop<Plane>(plane, target + row * inner, inner).Run<TLanes, TFloat, TInt>();
        }
    }

    private readonly struct Plane(byte* source, float multiplier, float addend, Range range) : ICodeLoop
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TInt At<TLanes, TFloat, TInt>(nint i) where TLanes : struct, ILanes<TFloat, TInt> =>
            range.Codes<TLanes, TFloat, TInt>(source + i, TLanes.Broadcast(multiplier), TLanes.Broadcast(addend));
    }
}
