using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// A map from every 8-bit code to a code: any function of one number, exactly and at the speed of a copy, since there are but 256 arguments. The 256 results are worked out
/// once: code = quantize(function((q - zi) * si)) with <see cref="Quantizer"/>'s rules, so a NaN gives the output's zero point and an infinity an end of the range.
/// </summary>
public sealed unsafe class CodeTable
{
    /// <summary>The number of codes.</summary>
    public const int Length = 256;

    /// <summary>Codes a nanosecond of the narrowest lookup: what sharing among threads is judged by.</summary>
    private const int CodesPerNanosecond = 4;

    private const int PieceLength = 16384;

    private readonly byte[] _codes;

    private CodeTable(byte[] codes, QParams input, QParams output) => (_codes, Input, Output) = (codes, input, output);

    /// <summary>The qparams of the codes that are looked up.</summary>
    public QParams Input { get; }

    /// <summary>The qparams of the codes that are found.</summary>
    public QParams Output { get; }

    /// <summary>The code for each code, in order.</summary>
    public ReadOnlySpan<byte> Codes => _codes;

    /// <summary>The real numbers of all 256 codes: what a function is to be evaluated at.</summary>
    /// <param name="input">Scale and zero point; the zero point within 0..255.</param>
    /// <exception cref="ArgumentException">The parameters are out of their range.</exception>
    public static float[] Arguments(QParams input)
    {
        float[] x = new float[Length];
        Quantizer.Dequantize(AllCodes(), x, input);
        return x;
    }

    /// <summary>The table of a function of real numbers.</summary>
    /// <param name="function">The function; it is called once for each code.</param>
    /// <param name="input">The qparams of its arguments; the zero point within 0..255.</param>
    /// <param name="output">The qparams of its results.</param>
    /// <exception cref="ArgumentException">The parameters are out of their range.</exception>
    public static CodeTable FromFunction(Func<float, float> function, QParams input, QParams output)
    {
        ArgumentNullException.ThrowIfNull(function);
        return FromReals(Array.ConvertAll(Arguments(input), x => function(x)), input, output);
    }

    /// <summary>The table of a function whose results for <see cref="Arguments"/> are known.</summary>
    /// <param name="results">256 real numbers, that of code 0 first.</param>
    /// <param name="input">The qparams of the arguments; the zero point within 0..255.</param>
    /// <param name="output">The qparams of the results.</param>
    /// <exception cref="ArgumentException">There are not 256 results, or the parameters are out of their range.</exception>
    public static CodeTable FromReals(ReadOnlySpan<float> results, QParams input, QParams output)
    {
        Argument.HasLength(results.Length, Length, nameof(results), "one for each code");
        CheckQParams(input, nameof(input));
        CheckQParams(output, nameof(output));
        byte[] codes = new byte[Length];
        Quantizer.Quantize(results, codes, output, output.Lowest, output.Highest);
        return new CodeTable(codes, input, output);
    }

    /// <summary>The table from one scale and zero point to another: quantize((q - zi) * si), as quantizing a dequantized tensor does.</summary>
    /// <param name="input">The qparams of the codes that are there; the zero point within 0..255.</param>
    /// <param name="output">The qparams that are wanted.</param>
    /// <exception cref="ArgumentException">The parameters are out of their range.</exception>
    public static CodeTable Requantize(QParams input, QParams output) => FromReals(Arguments(input), input, output);

    /// <summary>
    /// The table from one scale and zero point to another with libtorch's dequantization of whole vectors, fma(si, q, -(si * zi)), which differs from
    /// <see cref="Requantize"/> next to ties. Its quantized::cat along the channels of channels-last tensors uses this for the channels of each tensor in eights, and
    /// <see cref="Requantize"/> for the up to seven channels left over and for every other layout.
    /// </summary>
    /// <param name="input">The qparams of the codes that are there; the zero point within 0..255.</param>
    /// <param name="output">The qparams that are wanted.</param>
    /// <exception cref="ArgumentException">The parameters are out of their range.</exception>
    public static CodeTable RequantizeFused(QParams input, QParams output)
    {
        CheckQParams(input, nameof(input));
        float zero = -(input.Scale * input.ZeroPoint);
        float[] x = new float[Length];
        for (int code = 0; code < Length; code++)
            x[code] = MathF.FusedMultiplyAdd(input.Scale, code, zero);
        return FromReals(x, input, output);
    }

    /// <summary>output[i] = the code for codes[i].</summary>
    /// <param name="codes">The codes to look up.</param>
    /// <param name="output">Receives as many; may be their memory.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths differ, or <paramref name="threads"/> is below 1.</exception>
    public void Apply(ReadOnlySpan<byte> codes, Span<byte> output, int threads = 1) => Apply(Isa.Current, codes, output, threads);

    internal void Apply(Isa isa, ReadOnlySpan<byte> codes, Span<byte> output, int threads)
    {
        Argument.HasLength(output.Length, codes.Length, nameof(output), "as many as codes");
        Argument.IsAtLeast(threads, 1, nameof(threads));
        int pieces = (int)((codes.Length + (long)PieceLength - 1) / PieceLength);
        fixed (byte* table = _codes, source = codes, target = output)
            isa.Run(new RowLoop<Pieces>(new Pieces(table, source, target, codes.Length), pieces, threads, PieceLength / CodesPerNanosecond));
    }

    /// <summary>Looks up rows that lie one after the other and writes them some distance apart: what joins tensors along a dimension.</summary>
    /// <param name="codes">The codes to look up, [rows, <paramref name="rowLength"/>].</param>
    /// <param name="rowLength">The length of a row, at least 1.</param>
    /// <param name="output">Receives the first row at its beginning; must not be the memory of <paramref name="codes"/>.</param>
    /// <param name="stride">The distance of the rows in <paramref name="output"/>, at least <paramref name="rowLength"/>.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a parameter is out of its range.</exception>
    public void ApplyRows(ReadOnlySpan<byte> codes, int rowLength, Span<byte> output, int stride, int threads = 1) => ApplyRows(Isa.Current, codes, rowLength, output, stride, threads);

    internal void ApplyRows(Isa isa, ReadOnlySpan<byte> codes, int rowLength, Span<byte> output, int stride, int threads)
    {
        Argument.IsAtLeast(rowLength, 1, nameof(rowLength));
        Argument.IsAtLeast(stride, rowLength, nameof(stride));
        Argument.IsAtLeast(threads, 1, nameof(threads));
        if (codes.Length % rowLength != 0)
            throw new ArgumentException($"codes has {codes.Length} elements; expected a multiple of {rowLength}, the length of a row.", nameof(codes));
        if (codes.IsEmpty)
            return;
        int rows = codes.Length / rowLength;
        if (output.Length < (long)(rows - 1) * stride + rowLength)
            throw new ArgumentException($"output has {output.Length} elements; expected at least {(long)(rows - 1) * stride + rowLength} for {rows} rows that are {stride} apart.", nameof(output));
        int atOnce = Math.Max(1, PieceLength / rowLength);
        fixed (byte* table = _codes, source = codes, target = output)
        {
            if (rows == 1)
                isa.Run(new RowLoop<Pieces>(new Pieces(table, source, target, rowLength), (int)((rowLength + (long)PieceLength - 1) / PieceLength), threads, PieceLength / CodesPerNanosecond));
            else
                isa.Run(new RowLoop<Rows>(new Rows(table, source, target, rows, rowLength, stride, atOnce), (rows + atOnce - 1) / atOnce, threads, 1 + (long)atOnce * rowLength / CodesPerNanosecond));
        }
    }

    private static byte[] AllCodes()
    {
        byte[] codes = new byte[Length];
        for (int code = 0; code < Length; code++)
            codes[code] = (byte)code;
        return codes;
    }

    private static void CheckQParams(QParams qparams, string name)
    {
        Argument.IsScale(qparams.Scale, name);
        Argument.IsZeroPoint(qparams.ZeroPoint, byte.MinValue, byte.MaxValue, name);
    }

    private readonly struct Pieces(byte* table, byte* source, byte* target, int length) : IRowBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>
        {
            nint start = row * PieceLength;
            TableLookup.Run<TLanes, TFloat, TInt>(table, source + start, target + start, nint.Min(PieceLength, length - start));
        }
    }

    private readonly struct Rows(byte* table, byte* source, byte* target, int rows, int length, nint stride, int atOnce) : IRowBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>
        {
            nint first = row * atOnce;
            TableLookup.RunRows<TLanes, TFloat, TInt>(table, source + first * length, target + first * stride, (int)nint.Min(atOnce, rows - first), length, stride);
        }
    }
}
