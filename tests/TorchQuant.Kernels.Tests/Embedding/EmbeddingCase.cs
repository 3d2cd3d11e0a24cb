namespace TorchQuant.Kernels.Tests;

/// <summary>A table as a test holds it: plain codes, one in a byte, and what a row is by the formula.</summary>
internal sealed record EmbeddingCase(int Bits, byte[] Codes, int Columns, float[] Scales, float[] ZeroPoints)
{
    public static EmbeddingCase Create(int bits, int rows, int columns, int seed)
    {
        var random = new Random(seed);
        byte[] codes = new byte[rows * columns];
        for (int i = 0; i < codes.Length; i++)
            codes[i] = (byte)(random.Next(4) == 0 ? random.Next(2) * ((1 << bits) - 1) : random.Next(1 << bits));
        float[] scales = new float[rows], zeroPoints = new float[rows];
        for (int row = 0; row < rows; row++)
        {
            scales[row] = (float)Math.Exp(random.NextDouble() * 8 - 7);
            zeroPoints[row] = (float)(random.NextDouble() * 400 - 100);
        }

        return new EmbeddingCase(bits, codes, columns, scales, zeroPoints);
    }

    public PackedEmbedding Pack() => Bits == 8
        ? PackedEmbedding.Pack8(Codes, Scales.Length, Columns, Scales, ZeroPoints)
        : PackedEmbedding.Pack4(Codes, Scales.Length, Columns, Scales, ZeroPoints);

    public float Value(long row, int column) => (Codes[row * Columns + column] - ZeroPoints[row]) * Scales[row];

    public float[] Rows(long[] indices) => [.. indices.SelectMany(row => Enumerable.Range(0, Columns).Select(column => Value(row, column)))];

    public long[] Indices(int count, Random random) => [.. Enumerable.Range(0, count).Select(_ => (long)random.Next(Scales.Length))];

    /// <summary>One bag, in the order of its indices and in float, so that the result is known to the last bit.</summary>
    public float[] Bag(ReadOnlySpan<long> indices, ReadOnlySpan<float> weights, EmbeddingBagMode mode, long padding)
    {
        float[] result = new float[Columns];
        for (int column = 0; column < Columns; column++)
        {
            int used = 0;
            for (int i = 0; i < indices.Length; i++)
            {
                if (indices[i] == padding)
                    continue;
                float value = Value(indices[i], column) * (weights.IsEmpty ? 1 : weights[i]);
                result[column] = used == 0 ? value : mode == EmbeddingBagMode.Max ? MathF.Max(result[column], value) : result[column] + value;
                used++;
            }

            if (mode == EmbeddingBagMode.Mean && used > 0)
                result[column] /= used;
        }

        return result;
    }
}
