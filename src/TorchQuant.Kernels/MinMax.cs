using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>The range of float data.</summary>
public static unsafe class MinMax
{
    /// <summary>Numbers that one thread takes at least.</summary>
    private const int LeastPiece = 32768;

    private const int MostPieces = 64;

    /// <summary>Measured at about 20 where they come from the cache.</summary>
    private const int NumbersPerNanosecond = 20;

    /// <summary>The smallest and the largest number; both NaN if any number is NaN. A zero is +0, whatever its sign was.</summary>
    /// <param name="x">At least one number.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException"><paramref name="x"/> is empty: nothing has no range; or <paramref name="threads"/> is below 1.</exception>
    public static (float Min, float Max) Of(ReadOnlySpan<float> x, int threads = 1)
    {
        if (x.IsEmpty)
            throw new ArgumentException("x is empty; expected at least one number.", nameof(x));
        Argument.IsAtLeast(threads, 1, nameof(threads));
        fixed (float* source = x)
            return Of(Isa.Current, source, x.Length, threads);
    }

    internal static (float Min, float Max) Of(Isa isa, float* x, int length, int threads)
    {
        int pieces = threads == 1 ? 1 : Math.Clamp(length / LeastPiece, 1, MostPieces);
        if (pieces == 1)
            return isa.MinMax(x, length);
        float* ends = stackalloc float[2 * MostPieces];
        isa.Run(new RowLoop<Pieces>(new Pieces(x, length, ends, pieces), pieces, threads, length / pieces / NumbersPerNanosecond));
        // The ends of a range are numbers of it: what holds for numbers, NaN among them, holds for ends.
        return isa.MinMax(ends, 2 * pieces);
    }

    /// <summary>The range of each row of x [rows, columns], where rows is the length of the outputs.</summary>
    /// <param name="x">The numbers, row-major, at least one in each row.</param>
    /// <param name="min">Receives the smallest number of each row.</param>
    /// <param name="max">Receives the largest number of each row.</param>
    /// <exception cref="ArgumentException">Lengths do not fit together, or a row is empty.</exception>
    public static void OfRows(ReadOnlySpan<float> x, Span<float> min, Span<float> max)
    {
        Argument.HasLength(max.Length, min.Length, nameof(max), "as many as min");
        if (min.IsEmpty || x.IsEmpty || x.Length % min.Length != 0)
            throw new ArgumentException($"x has {x.Length} elements; expected a positive multiple of the {min.Length} rows.", nameof(x));
        int columns = x.Length / min.Length;
        for (int row = 0; row < min.Length; row++)
            (min[row], max[row]) = Of(x.Slice(row * columns, columns));
    }

    private readonly struct Pieces(float* x, int length, float* ends, int pieces) : IRowBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>
        {
            int start = EvenSplit.Part(length, (int)row, pieces), end = EvenSplit.Part(length, (int)row + 1, pieces);
            (ends[2 * row], ends[2 * row + 1]) = Elementwise<TLanes, TFloat, TInt>.MinMax(x + start, end - start);
        }
    }
}
