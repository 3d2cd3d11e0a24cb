namespace TorchQuant.Kernels;

/// <summary>Quantizes the activations of one call by their own range: once to find it, once to quantize.</summary>
internal static unsafe class DynamicActivations
{
    /// <summary>Numbers that are quantized in a nanosecond.</summary>
    public const int NumbersPerNanosecond = 12;

    /// <summary>Numbers that one thread takes at least.</summary>
    private const int LeastPiece = 16384;

    /// <summary>Quantizes rows.</summary>
    /// <param name="isa">The row of the table of instruction sets.</param>
    /// <param name="x">Activations, row-major [rows, columns].</param>
    /// <param name="rows">The number of rows, at least 1.</param>
    /// <param name="columns">Their length.</param>
    /// <param name="codes">Receives the rows' codes.</param>
    /// <param name="stride">From one row of codes to the next.</param>
    /// <param name="reduceRange">Whether they are quantized to 7 bits.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">An activation is not finite.</exception>
    public static QParams Quantize(Isa isa, float* x, int rows, int columns, byte* codes, int stride, bool reduceRange, int threads)
    {
        QParams qparams = Choose(MinMax.Of(isa, x, rows * columns, threads), reduceRange, nameof(x));
        int pieces = threads == 1 ? 1 : Math.Clamp((int)Math.Min((long)rows * columns / LeastPiece, rows), 1, rows);
        if (pieces > 1)
        {
            isa.Run(new RowLoop<Pieces>(new Pieces(x, rows, columns, codes, stride, qparams, pieces), pieces, threads, (long)rows * columns / pieces / NumbersPerNanosecond));
            return qparams;
        }

        if (stride == columns)
        {
            isa.QuantizeDynamic(x, codes, (nint)rows * columns, qparams);
            return qparams;
        }

        for (int row = 0; row < rows; row++)
            isa.QuantizeDynamic(x + (nint)row * columns, codes + (nint)row * stride, columns, qparams);
        return qparams;
    }

    /// <summary>Scale and zero point of activations.</summary>
    /// <param name="range">The smallest and the largest of them.</param>
    /// <param name="reduceRange">Whether they are quantized to 7 bits.</param>
    /// <param name="name">The name of the parameter that they came by.</param>
    /// <exception cref="ArgumentException">An activation is not finite.</exception>
    public static QParams Choose((float Min, float Max) range, bool reduceRange, string name)
    {
        if (!float.IsFinite(range.Min) || !float.IsFinite(range.Max))
            throw new ArgumentException($"x has the range {range.Min} to {range.Max}; expected finite activations (a NaN or an infinity cannot be quantized dynamically).", name);
        return QParamsChooser.ForDynamic(range.Min, range.Max, reduceRange: reduceRange);
    }

    /// <summary>Some of the rows.</summary>
    private readonly struct Pieces(float* x, int rows, int columns, byte* codes, int stride, QParams qparams, int pieces) : IRowBody
    {
        public void Row<TLanes, TFloat, TInt>(nint piece) where TLanes : struct, ILanes<TFloat, TInt>
        {
            int end = EvenSplit.Part(rows, (int)piece + 1, pieces);
            for (int row = EvenSplit.Part(rows, (int)piece, pieces); row < end; row++)
                Elementwise<TLanes, TFloat, TInt>.QuantizeDynamic(x + (nint)row * columns, codes + (nint)row * stride, columns, qparams);
        }
    }
}
