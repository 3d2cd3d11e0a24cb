using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// The tile of machines without a dot product of bytes, up to four rows by two vectors of columns at a time. What is read often is widened to int16 once, some groups of the depth at a time: activations for
/// all columns of the panel, and weights for all rows, if more than one tile reads them; so that mostly the products and sums are left.
/// <code>
///              even0, odd0   even1, odd1      one group of four of the depth: four vectors of weights,
///   row 0  e, o     s0           t0           for each row two broadcasts of two activations and eight instructions
///   row 1  e, o     s1           t1
/// </code>
/// The number of rows is a type, so a constant for the JIT, which drops the rows that are not there.
/// </summary>
internal static unsafe class WidenedTile<TDot, TVector>
    where TDot : struct, IGroupDot<TVector>
{
    /// <summary>The most rows: so often widened weights are read four times.</summary>
    public const int MaxRows = 16;

    private const int TileRows = 4;

    /// <summary>Groups that are widened at a time: activations and weights take 8 KB each.</summary>
    private const int ChunkGroups = 64;

    /// <summary>Bytes of the even or the odd activations of a row.</summary>
    private const int HalfBytes = ChunkGroups * sizeof(int), RowBytes = 2 * HalfBytes;

    private static int VectorBytes => TDot.Columns * sizeof(int);

    private static int WidenedGroupBytes => 4 * VectorBytes;

    private interface IWeights
    {
        static abstract bool AreWidened { get; }
    }

    /// <summary>A whole panel of 32 columns for <paramref name="rows"/> rows.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunPanel(int rows, byte* a, nint stride, sbyte* panel, nint groups, int* tile)
    {
        byte* activations = stackalloc byte[MaxRows * RowBytes];
        byte* weights = stackalloc byte[ChunkGroups * WidenedGroupBytes];
        for (nint done = 0; done < groups; done += ChunkGroups)
        {
            int count = (int)nint.Min(ChunkGroups, groups - done);
            for (int row = 0; row < rows; row++)
                WidenActivations(a + row * stride + done * PackedWeights.GroupDepth, count, activations + row * RowBytes);
            for (int column = 0; column < PackedWeights.PanelColumns; column += 2 * TDot.Columns)
            {
                sbyte* codes = panel + done * PackedWeights.GroupBytes + column * PackedWeights.GroupDepth;
                if (rows <= TileRows)
                {
                    Run<Codes>(rows, activations, codes, count, tile + column, isFirst: done == 0);
                    continue;
                }

                WidenWeights(codes, count, weights);
                for (int row = 0; row < rows; row += TileRows)
                    Run<Widened>(Math.Min(TileRows, rows - row), activations + row * RowBytes, (sbyte*)weights, count, tile + row * PackedWeights.PanelColumns + column, isFirst: done == 0);
            }
        }
    }

    /// <summary>Bytes 0 and 2 of each group as two int16, and after those of all groups bytes 1 and 3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WidenActivations(byte* codes, int groups, byte* widened)
    {
        int* even = (int*)widened, odd = (int*)(widened + HalfBytes);
        int g = 0;
        for (; g <= groups - TDot.Columns; g += TDot.Columns)
        {
            TVector x = TDot.LoadActivations(codes + g * PackedWeights.GroupDepth);
            TDot.Store(TDot.EvenActivations(x), even + g);
            TDot.Store(TDot.OddActivations(x), odd + g);
        }

        for (; g < groups; g++)
        {
            byte* group = codes + g * PackedWeights.GroupDepth;
            (even[g], odd[g]) = (group[0] | (group[2] << 16), group[1] | (group[3] << 16));
        }
    }

    /// <summary>For each group the even and odd bytes of two vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WidenWeights(sbyte* codes, int groups, byte* widened)
    {
        for (; groups > 0; groups--, codes += PackedWeights.GroupBytes, widened += WidenedGroupBytes)
        {
            TVector left = TDot.LoadWeights(codes), right = TDot.LoadWeights(codes + VectorBytes);
            TDot.Store(TDot.EvenWeights(left), (int*)widened);
            TDot.Store(TDot.OddWeights(left), (int*)(widened + VectorBytes));
            TDot.Store(TDot.EvenWeights(right), (int*)(widened + 2 * VectorBytes));
            TDot.Store(TDot.OddWeights(right), (int*)(widened + 3 * VectorBytes));
        }
    }

    private static void Run<TWeights>(int rows, byte* x, sbyte* weights, int groups, int* tile, bool isFirst)
        where TWeights : struct, IWeights
    {
        switch (rows)
        {
            case 1: Run<Rows1, TWeights>(x, weights, groups, tile, isFirst); break;
            case 2: Run<Rows2, TWeights>(x, weights, groups, tile, isFirst); break;
            case 3: Run<Rows3, TWeights>(x, weights, groups, tile, isFirst); break;
            default: Run<Rows4, TWeights>(x, weights, groups, tile, isFirst); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TRows, TWeights>(byte* x, sbyte* weights, int groups, int* tile, bool isFirst)
        where TRows : struct, IRows
        where TWeights : struct, IWeights
    {
        TVector s0 = TDot.Zero, s1 = TDot.Zero, s2 = TDot.Zero, s3 = TDot.Zero, t0 = TDot.Zero, t1 = TDot.Zero, t2 = TDot.Zero, t3 = TDot.Zero;
        if (!isFirst)
        {
            (s0, t0) = (Load<TRows>(tile, 0, 0), Load<TRows>(tile, 0, 1));
            (s1, t1) = (Load<TRows>(tile, 1, 0), Load<TRows>(tile, 1, 1));
            (s2, t2) = (Load<TRows>(tile, 2, 0), Load<TRows>(tile, 2, 1));
            (s3, t3) = (Load<TRows>(tile, 3, 0), Load<TRows>(tile, 3, 1));
        }

        for (; groups > 0; groups--, weights += TWeights.AreWidened ? WidenedGroupBytes : PackedWeights.GroupBytes, x += sizeof(int))
        {
            TVector even0, odd0, even1, odd1;
            if (TWeights.AreWidened)
            {
                (even0, odd0) = (TDot.LoadWeights(weights), TDot.LoadWeights(weights + VectorBytes));
                (even1, odd1) = (TDot.LoadWeights(weights + 2 * VectorBytes), TDot.LoadWeights(weights + 3 * VectorBytes));
            }
            else
            {
                TVector left = TDot.LoadWeights(weights), right = TDot.LoadWeights(weights + VectorBytes);
                (even0, odd0, even1, odd1) = (TDot.EvenWeights(left), TDot.OddWeights(left), TDot.EvenWeights(right), TDot.OddWeights(right));
            }

            TVector even = TDot.Broadcast(x), odd = TDot.Broadcast(x + HalfBytes);
            s0 = TDot.MultiplyAdd(s0, even, odd, even0, odd0);
            t0 = TDot.MultiplyAdd(t0, even, odd, even1, odd1);
            if (TRows.Count > 1)
            {
                (even, odd) = (TDot.Broadcast(x + RowBytes), TDot.Broadcast(x + RowBytes + HalfBytes));
                s1 = TDot.MultiplyAdd(s1, even, odd, even0, odd0);
                t1 = TDot.MultiplyAdd(t1, even, odd, even1, odd1);
            }
            if (TRows.Count > 2)
            {
                (even, odd) = (TDot.Broadcast(x + 2 * RowBytes), TDot.Broadcast(x + 2 * RowBytes + HalfBytes));
                s2 = TDot.MultiplyAdd(s2, even, odd, even0, odd0);
                t2 = TDot.MultiplyAdd(t2, even, odd, even1, odd1);
            }
            if (TRows.Count > 3)
            {
                (even, odd) = (TDot.Broadcast(x + 3 * RowBytes), TDot.Broadcast(x + 3 * RowBytes + HalfBytes));
                s3 = TDot.MultiplyAdd(s3, even, odd, even0, odd0);
                t3 = TDot.MultiplyAdd(t3, even, odd, even1, odd1);
            }
        }

        Store<TRows>(s0, t0, tile, 0);
        Store<TRows>(s1, t1, tile, 1);
        Store<TRows>(s2, t2, tile, 2);
        Store<TRows>(s3, t3, tile, 3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Load<TRows>(int* tile, int row, int vector)
        where TRows : struct, IRows =>
        row < TRows.Count ? TDot.LoadActivations((byte*)(tile + row * PackedWeights.PanelColumns + vector * TDot.Columns)) : TDot.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TRows>(TVector left, TVector right, int* tile, int row)
        where TRows : struct, IRows
    {
        if (row >= TRows.Count)
            return;
        TDot.Store(left, tile + row * PackedWeights.PanelColumns);
        TDot.Store(right, tile + row * PackedWeights.PanelColumns + TDot.Columns);
    }

    private readonly struct Codes : IWeights
    {
        public static bool AreWidened => false;
    }

    private readonly struct Widened : IWeights
    {
        public static bool AreWidened => true;
    }
}
