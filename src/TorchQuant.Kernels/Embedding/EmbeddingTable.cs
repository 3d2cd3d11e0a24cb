using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>What is done with a dequantized row.</summary>
internal enum RowUse
{
    /// <summary>It replaces the target.</summary>
    Set,

    /// <summary>It is added to the target.</summary>
    Add,

    /// <summary>The larger of it and the target stays.</summary>
    Max,
}

/// <summary>A pinned table of codes: dequantizes one row, scale * (code - zeroPoint), and combines it with the target.</summary>
internal readonly unsafe struct EmbeddingTable(byte* codes, int rowBytes, int bits, int columns, float* scales, float* zeroPoints)
{
    /// <summary>The length of a row.</summary>
    public int Columns => columns;

    /// <summary>target[i] = or += weight * row[i], or the larger of both.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Combine<TLanes, TFloat, TInt>(long row, float weight, RowUse use, float* target) where TLanes : struct, ILanes<TFloat, TInt>
    {
        byte* source = codes + (nint)row * rowBytes;
        if (bits == 8)
            new LaneLoop<Row8>(new Row8(source, scales[row], zeroPoints[row], weight, use, target), columns).Run<TLanes, TFloat, TInt>();
        else
            new LaneLoop<Row4>(new Row4(source, scales[row], zeroPoints[row], weight, use, target), columns).Run<TLanes, TFloat, TInt>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Combine<TLanes, TFloat, TInt>(TInt code, float scale, float zeroPoint, float weight, RowUse use, float* target) where TLanes : struct, ILanes<TFloat, TInt>
    {
        TFloat value = TLanes.Multiply(TLanes.Subtract(TLanes.ToFloat(code), TLanes.Broadcast(zeroPoint)), TLanes.Broadcast(scale));
        value = TLanes.Multiply(value, TLanes.Broadcast(weight));
        if (use == RowUse.Add)
            value = TLanes.Add(TLanes.Load(target), value);
        else if (use == RowUse.Max)
            value = TLanes.Max(TLanes.Load(target), value);
        TLanes.Store(value, target);
    }

    private readonly struct Row8(byte* source, float scale, float zeroPoint, float weight, RowUse use, float* target) : ILaneLoop
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At<TLanes, TFloat, TInt>(nint i) where TLanes : struct, ILanes<TFloat, TInt> =>
            Combine<TLanes, TFloat, TInt>(TLanes.LoadBytes(source + i), scale, zeroPoint, weight, use, target + i);
    }

    private readonly struct Row4(byte* source, float scale, float zeroPoint, float weight, RowUse use, float* target) : ILaneLoop
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At<TLanes, TFloat, TInt>(nint i) where TLanes : struct, ILanes<TFloat, TInt> =>
            Combine<TLanes, TFloat, TInt>(TLanes.LoadNibbles(source, i), scale, zeroPoint, weight, use, target + i);
    }
}

/// <summary>target[i, :] = row indices[i].</summary>
internal readonly unsafe struct EmbeddingLookup(EmbeddingTable table, long* indices, float* target) : IRowBody
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt> =>
        table.Combine<TLanes, TFloat, TInt>(indices[row], 1, RowUse.Set, target + row * table.Columns);
}

/// <summary>target = the rows of one bag combined; zeros if there is none but padding.</summary>
internal readonly unsafe struct EmbeddingBag(EmbeddingTable table, long* indices, float* weights, nint count, EmbeddingBagMode mode, long padding, float* target) : ILaneWork
{
    /// <inheritdoc/>
    public void Run<TLanes, TFloat, TInt>() where TLanes : struct, ILanes<TFloat, TInt>
    {
        RowUse next = mode == EmbeddingBagMode.Max ? RowUse.Max : RowUse.Add;
        int used = 0;
        for (nint i = 0; i < count; i++)
        {
            if (indices[i] == padding)
                continue;
            table.Combine<TLanes, TFloat, TInt>(indices[i], weights == null ? 1 : weights[i], used == 0 ? RowUse.Set : next, target);
            used++;
        }

        if (used == 0)
            new Span<float>(target, table.Columns).Clear();
        else if (mode == EmbeddingBagMode.Mean && used > 1)
            new LaneLoop<Division>(new Division(target, used), table.Columns).Run<TLanes, TFloat, TInt>();
    }

    private readonly struct Division(float* target, float divisor) : ILaneLoop
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At<TLanes, TFloat, TInt>(nint i) where TLanes : struct, ILanes<TFloat, TInt> =>
            TLanes.Store(TLanes.Divide(TLanes.Load(target + i), TLanes.Broadcast(divisor)), target + i);
    }
}
