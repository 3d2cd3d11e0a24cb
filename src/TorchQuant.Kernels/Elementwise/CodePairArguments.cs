namespace TorchQuant.Kernels;

/// <summary>The checks that the operations on two arrays of codes share.</summary>
internal static class CodePairArguments
{
    public static void Check(ReadOnlySpan<byte> a, QParams aParams, ReadOnlySpan<byte> b, QParams bParams, ReadOnlySpan<byte> output, QParams outParams, int threads)
    {
        Argument.HasLength(output.Length, a.Length, nameof(output), "as many as a");
        Argument.IsAtLeast(threads, 1, nameof(threads));
        if (b.IsEmpty ? !a.IsEmpty : a.Length % b.Length != 0)
            throw new ArgumentException($"b has {b.Length} elements; expected {a.Length} (as many as a), a row that repeats along a, or 1.", nameof(b));
        Check(aParams, nameof(aParams));
        Check(bParams, nameof(bParams));
        Check(outParams, nameof(outParams));
        Argument.IsCodeRange(outParams.Lowest, outParams.Highest, byte.MinValue, byte.MaxValue);
    }

    public static void Check(QParams qparams, string name)
    {
        Argument.IsScale(qparams.Scale, name);
        Argument.IsZeroPoint(qparams.ZeroPoint, byte.MinValue, byte.MaxValue, name);
    }
}
