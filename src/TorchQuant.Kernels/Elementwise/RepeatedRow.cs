namespace TorchQuant.Kernels;

/// <summary>A short row, written again and again so that whole vectors can be read of it.</summary>
internal static class RepeatedRow
{
    /// <summary>Fills the target with the row; the target's length is a multiple of the row's. What is written is doubled, so that a row of one element takes few copies.</summary>
    public static void Fill<T>(ReadOnlySpan<T> row, Span<T> target)
    {
        row.CopyTo(target);
        for (int filled = row.Length; filled < target.Length; filled *= 2)
            target[..Math.Min(filled, target.Length - filled)].CopyTo(target[filled..]);
    }
}
