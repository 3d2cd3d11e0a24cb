namespace TorchQuant.Kernels;

/// <summary>Divides a whole into parts that differ by at most one.</summary>
internal static class EvenSplit
{
    /// <summary>Where a part begins; part number <paramref name="parts"/> is the end.</summary>
    public static int Part(int whole, int part, int parts) => (int)((long)whole * part / parts);

    /// <summary>The same parts in groups of so many, each group from its last part to its first; as they are, if they are not whole groups.</summary>
    public static int Reversed(int part, int parts, int group) => parts % group == 0 ? part / group * group + (group - 1 - part % group) : part;
}
