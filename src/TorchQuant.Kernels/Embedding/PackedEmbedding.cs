namespace TorchQuant.Kernels;

/// <summary>
/// An embedding table of 8-bit or 4-bit codes with a float scale and a float zero point for each row: value = scale[row] * (code - zeroPoint[row]), in float, the difference
/// rounded first. A row is one byte, or half a byte with the low half first, for each column. Immutable, so any number of threads may read it.
/// </summary>
public sealed class PackedEmbedding
{
    private readonly byte[] _codes;
    private readonly float[] _scales;
    private readonly float[] _zeroPoints;
    private readonly int _rowBytes;

    private PackedEmbedding(byte[] codes, int rows, int columns, int bits, ReadOnlySpan<float> scales, ReadOnlySpan<float> zeroPoints)
    {
        _codes = codes;
        _scales = scales.ToArray();
        _zeroPoints = zeroPoints.ToArray();
        _rowBytes = RowBytes(columns, bits);
        Rows = rows;
        Columns = columns;
        Bits = bits;
    }

    /// <summary>The number of rows: the indices go from 0 to Rows - 1.</summary>
    public int Rows { get; }

    /// <summary>The number of columns: the length of a looked-up vector.</summary>
    public int Columns { get; }

    /// <summary>The bits of a code: 8 or 4.</summary>
    public int Bits { get; }

    /// <summary>The bytes of codes, scales and zero points as stored: Rows * (ceil(Columns * Bits / 8) + 8).</summary>
    public long WeightBytes => _codes.LongLength + sizeof(float) * ((long)_scales.Length + _zeroPoints.Length);

    /// <summary>Packs a table of codes from 0 to 255.</summary>
    /// <param name="codes">[rows, columns], row after row.</param>
    /// <param name="rows">At least 1.</param>
    /// <param name="columns">At least 1.</param>
    /// <param name="scales">One for each row.</param>
    /// <param name="zeroPoints">One for each row: the code, not necessarily whole or in range, of the value 0.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape, or a scale or zero point is not finite.</exception>
    public static PackedEmbedding Pack8(ReadOnlySpan<byte> codes, int rows, int columns, ReadOnlySpan<float> scales, ReadOnlySpan<float> zeroPoints)
    {
        Check(codes.Length, rows, columns, scales, zeroPoints);
        return new PackedEmbedding(codes.ToArray(), rows, columns, 8, scales, zeroPoints);
    }

    /// <summary>Packs a table of codes from 0 to 15, two in a byte. A row of an odd number of columns ends with half a byte of zeros.</summary>
    /// <param name="codes">[rows, columns], row after row, one code in a byte.</param>
    /// <param name="rows">At least 1.</param>
    /// <param name="columns">At least 1.</param>
    /// <param name="scales">One for each row.</param>
    /// <param name="zeroPoints">One for each row: the code, not necessarily whole or in range, of the value 0.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape, a code is above 15, or a scale or zero point is not finite.</exception>
    public static PackedEmbedding Pack4(ReadOnlySpan<byte> codes, int rows, int columns, ReadOnlySpan<float> scales, ReadOnlySpan<float> zeroPoints)
    {
        Check(codes.Length, rows, columns, scales, zeroPoints);
        int tooLarge = codes.IndexOfAnyExceptInRange((byte)0, (byte)15);
        if (tooLarge >= 0)
            throw new ArgumentException($"The code of row {tooLarge / columns}, column {tooLarge % columns} is {codes[tooLarge]}; expected 0 to 15 (4 bits).", nameof(codes));

        int rowBytes = RowBytes(columns, 4);
        var packed = new byte[(long)rows * rowBytes];
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<byte> source = codes.Slice(row * columns, columns);
            Span<byte> target = packed.AsSpan(row * rowBytes, rowBytes);
            for (int column = 0; column < columns; column++)
                target[column >> 1] |= (byte)(source[column] << ((column & 1) * 4));
        }

        return new PackedEmbedding(packed, rows, columns, 4, scales, zeroPoints);
    }

    /// <summary>Gives back what was packed.</summary>
    /// <param name="codes">[Rows, Columns], one code in a byte.</param>
    /// <param name="scales">[Rows].</param>
    /// <param name="zeroPoints">[Rows].</param>
    /// <exception cref="ArgumentException">A length does not fit the shape.</exception>
    public void Unpack(Span<byte> codes, Span<float> scales, Span<float> zeroPoints)
    {
        Argument.HasLength(codes.Length, (long)Rows * Columns, nameof(codes), "rows x columns");
        Argument.HasLength(scales.Length, Rows, nameof(scales), "one for each row");
        Argument.HasLength(zeroPoints.Length, Rows, nameof(zeroPoints), "one for each row");
        _scales.CopyTo(scales);
        _zeroPoints.CopyTo(zeroPoints);
        if (Bits == 8)
        {
            _codes.CopyTo(codes);
            return;
        }

        for (int row = 0; row < Rows; row++)
        {
            ReadOnlySpan<byte> source = _codes.AsSpan(row * _rowBytes, _rowBytes);
            for (int column = 0; column < Columns; column++)
                codes[row * Columns + column] = (byte)((source[column >> 1] >> ((column & 1) * 4)) & 15);
        }
    }

    /// <summary>output[i] = the row indices[i], as floats.</summary>
    /// <param name="indices">[n], each from 0 to Rows - 1.</param>
    /// <param name="output">[n, Columns].</param>
    /// <param name="threads">How many threads may be used; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">An index is not a row; nothing was written.</exception>
    /// <exception cref="ArgumentException"><paramref name="output"/> does not fit.</exception>
    public void Lookup(ReadOnlySpan<long> indices, Span<float> output, int threads = 1) => Lookup(Isa.Current, indices, output, threads);

    /// <summary>
    /// output[b] = the rows of bag b combined; bag b has the indices from offsets[b] to before offsets[b + 1] (the last bag to the end). An empty bag, or one of padding only, gives zeros.
    /// </summary>
    /// <param name="indices">[n], each from 0 to Rows - 1.</param>
    /// <param name="offsets">Not decreasing, from 0 to at most n. One for each bag; with <paramref name="includeLastOffset"/> one more, the end of the last bag.</param>
    /// <param name="mode">How rows are combined.</param>
    /// <param name="perSampleWeights">Empty, or [n]: a factor for each index; for <see cref="EmbeddingBagMode.Sum"/> only, as in PyTorch.</param>
    /// <param name="includeLastOffset">Whether <paramref name="offsets"/> ends with the end of the last bag.</param>
    /// <param name="paddingIndex">The index that is left out of every bag; -1 for none.</param>
    /// <param name="output">[bags, Columns].</param>
    /// <exception cref="ArgumentOutOfRangeException">An index or the padding index is not a row; nothing was written.</exception>
    /// <exception cref="ArgumentException">The offsets, weights or output do not fit; nothing was written.</exception>
    public void Bag(ReadOnlySpan<long> indices, ReadOnlySpan<long> offsets, EmbeddingBagMode mode, ReadOnlySpan<float> perSampleWeights,
        bool includeLastOffset, long paddingIndex, Span<float> output) =>
        Bag(Isa.Current, indices, offsets, mode, perSampleWeights, includeLastOffset, paddingIndex, output);

    internal unsafe void Lookup(Isa isa, ReadOnlySpan<long> indices, Span<float> output, int threads)
    {
        Argument.IsAtLeast(threads, 1, nameof(threads));
        Argument.HasLength(output.Length, (long)indices.Length * Columns, nameof(output), "indices x columns");
        CheckIndices(indices);
        fixed (float* scales = _scales, zeroPoints = _zeroPoints, target = output)
        fixed (byte* codes = _codes)
        fixed (long* rows = indices)
        {
            var table = new EmbeddingTable(codes, _rowBytes, Bits, Columns, scales, zeroPoints);
            // A row that is not in the cache waits some ten nanoseconds for memory, then comes at about ten columns a nanosecond.
            isa.Run(new RowLoop<EmbeddingLookup>(new EmbeddingLookup(table, rows, target), indices.Length, threads, 10 + Columns / 10));
        }
    }

    internal unsafe void Bag(Isa isa, ReadOnlySpan<long> indices, ReadOnlySpan<long> offsets, EmbeddingBagMode mode, ReadOnlySpan<float> perSampleWeights,
        bool includeLastOffset, long paddingIndex, Span<float> output)
    {
        int bags = CheckBags(indices, offsets, mode, perSampleWeights, includeLastOffset, paddingIndex);
        Argument.HasLength(output.Length, (long)bags * Columns, nameof(output), "bags x columns");
        fixed (float* scales = _scales, zeroPoints = _zeroPoints, weights = perSampleWeights, target = output)
        fixed (byte* codes = _codes)
        fixed (long* rows = indices)
        {
            var table = new EmbeddingTable(codes, _rowBytes, Bits, Columns, scales, zeroPoints);
            for (int bag = 0; bag < bags; bag++)
            {
                nint start = (nint)offsets[bag], end = bag + 1 < offsets.Length ? (nint)offsets[bag + 1] : indices.Length;
                isa.Run(new EmbeddingBag(table, rows + start, weights == null ? null : weights + start, end - start, mode, paddingIndex, target + (nint)bag * Columns));
            }
        }
    }

    private int CheckBags(ReadOnlySpan<long> indices, ReadOnlySpan<long> offsets, EmbeddingBagMode mode, ReadOnlySpan<float> perSampleWeights, bool includeLastOffset, long paddingIndex)
    {
        if (!Enum.IsDefined(mode))
            throw new ArgumentOutOfRangeException(nameof(mode), mode, $"mode is {mode}; expected Sum, Mean or Max.");
        if (!perSampleWeights.IsEmpty)
        {
            if (mode != EmbeddingBagMode.Sum)
                throw new ArgumentException($"perSampleWeights are given with the mode {mode}; they have a meaning for Sum only. Leave them empty or use Sum.", nameof(perSampleWeights));
            Argument.HasLength(perSampleWeights.Length, indices.Length, nameof(perSampleWeights), "one for each index");
        }

        if (paddingIndex < -1 || paddingIndex >= Rows)
            throw new ArgumentOutOfRangeException(nameof(paddingIndex), paddingIndex, $"paddingIndex is {paddingIndex}; expected a row from 0 to {Rows - 1}, or -1 for none.");
        if (includeLastOffset && offsets.IsEmpty)
            throw new ArgumentException("offsets is empty; with includeLastOffset it holds at least the end of the last bag.", nameof(offsets));

        long previous = 0;
        for (int i = 0; i < offsets.Length; i++)
        {
            if (i == 0 && offsets[0] != 0)
                throw new ArgumentException($"offsets[0] is {offsets[0]}; expected 0, the start of the first bag.", nameof(offsets));
            if (offsets[i] < previous || offsets[i] > indices.Length)
                throw new ArgumentException($"offsets[{i}] is {offsets[i]}; expected {previous} (the offset before it) to {indices.Length} (the number of indices).", nameof(offsets));
            previous = offsets[i];
        }

        CheckIndices(indices);
        return includeLastOffset ? offsets.Length - 1 : offsets.Length;
    }

    private void CheckIndices(ReadOnlySpan<long> indices)
    {
        int bad = indices.IndexOfAnyExceptInRange(0, Rows - 1);
        if (bad >= 0)
            throw new ArgumentOutOfRangeException(nameof(indices), indices[bad], $"The index {indices[bad]} at position {bad} is outside the embedding table of {Rows} rows; expected 0 to {Rows - 1}.");
    }

    private static int RowBytes(int columns, int bits) => bits == 8 ? columns : (columns + 1) / 2;

    private static void Check(int codes, int rows, int columns, ReadOnlySpan<float> scales, ReadOnlySpan<float> zeroPoints)
    {
        Argument.IsAtLeast(rows, 1, nameof(rows));
        Argument.IsAtLeast(columns, 1, nameof(columns));
        Argument.HasLength(codes, (long)rows * columns, nameof(codes), "rows x columns");
        CheckPerRow(scales, rows, nameof(scales));
        CheckPerRow(zeroPoints, rows, nameof(zeroPoints));
    }

    private static void CheckPerRow(ReadOnlySpan<float> values, int rows, string name)
    {
        Argument.HasLength(values.Length, rows, name, "one for each row");
        for (int row = 0; row < rows; row++)
        {
            if (!float.IsFinite(values[row]))
                throw new ArgumentException($"{name}[{row}] is {values[row]}; expected a finite number.", name);
        }
    }
}
