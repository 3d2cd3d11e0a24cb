namespace TorchQuant.Benchmarks.Data;

/// <summary>The outputs that are compared with the reference: all of a small result, a few thousand of a large one, always the first and the last.</summary>
internal static class Samples
{
    private const int Most = 4096;

    public static int[] Of(int outputs, Random random)
    {
        if (outputs <= Most)
            return [.. Enumerable.Range(0, outputs)];
        int[] positions = new int[Most];
        for (int i = 0; i < Most; i++)
            positions[i] = random.Next(outputs);
        positions[0] = 0;
        positions[^1] = outputs - 1;
        return positions;
    }

    /// <summary>What a result holds at those positions.</summary>
    public static T[] At<T>(ReadOnlySpan<T> result, int[] positions)
    {
        var values = new T[positions.Length];
        for (int i = 0; i < positions.Length; i++)
            values[i] = result[positions[i]];
        return values;
    }
}
