namespace TorchQuant.Kernels;

/// <summary>Checks that convolutions and transposed convolutions share.</summary>
internal static class ConvolutionArguments
{
    public static void CheckNumbers(int batch, QParams inputParams, int biasLength, int outChannels, QParams outputParams, FusedActivation activation, int threads)
    {
        Argument.IsAtLeast(batch, 0, nameof(batch));
        Argument.IsAtLeast(threads, 1, nameof(threads));
        Argument.IsDefined(activation, nameof(activation));
        if (biasLength != 0)
            Argument.HasLength(biasLength, outChannels, "bias", "nothing, or one for each output channel");
        Check(inputParams, nameof(inputParams));
        Check(outputParams, nameof(outputParams));
        Argument.IsCodeRange(outputParams.Lowest, outputParams.Highest, byte.MinValue, byte.MaxValue);
    }

    public static void CheckLength(int found, int batch, ReadOnlySpan<int> size, int channels, string name)
    {
        // As a double, so that no product of sizes overflows: a length that a span can have is exact.
        double expected = (double)batch * channels;
        foreach (int length in size)
            expected *= length;
        if (found != expected)
            throw new ArgumentException($"{name} has {found} elements; expected {expected} ({batch} images of {string.Join(" x ", size.ToArray())} positions with {channels} channels).", name);
    }

    private static void Check(QParams qparams, string name)
    {
        Argument.IsScale(qparams.Scale, name);
        Argument.IsZeroPoint(qparams.ZeroPoint, byte.MinValue, byte.MaxValue, name);
    }
}
