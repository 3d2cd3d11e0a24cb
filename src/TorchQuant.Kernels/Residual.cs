namespace TorchQuant.Kernels;

/// <summary>
/// Codes that a convolution or a product adds to its own, as <see cref="Int8Add"/> would after it, to the bit: its results become codes with the parameters and the activation of its own, those
/// and these are added, and only the sum is stored. So the addition costs no way to memory and back.
/// </summary>
/// <param name="codes">As many codes as the output has, in its order. They must not overlap the output.</param>
/// <param name="codeParams">Their scale and zero point.</param>
/// <param name="sumParams">Scale and zero point of the sum, which is the output then.</param>
/// <param name="relu">Whether negative sums become 0.</param>
public readonly ref struct Residual(ReadOnlySpan<byte> codes, QParams codeParams, QParams sumParams, bool relu = false)
{
    /// <summary>The codes.</summary>
    public ReadOnlySpan<byte> Codes { get; } = codes;

    /// <summary>Their scale and zero point.</summary>
    public QParams CodeParams { get; } = codeParams;

    /// <summary>Scale and zero point of the sum.</summary>
    public QParams SumParams { get; } = sumParams;

    /// <summary>Whether negative sums become 0.</summary>
    public bool Relu { get; } = relu;

    /// <summary>Refuses what cannot be added to an output with as many codes as <paramref name="output"/>.</summary>
    internal void Check(ReadOnlySpan<byte> output)
    {
        const string Name = "residual";
        Argument.HasLength(Codes.Length, output.Length, Name, "as many as output");
        Argument.DoesNotOverlap(Codes, output, Name, nameof(output));
        CodePairArguments.Check(CodeParams, $"{Name}.{nameof(CodeParams)}");
        CodePairArguments.Check(SumParams, $"{Name}.{nameof(SumParams)}");
        Argument.IsCodeRange(SumParams.Lowest, SumParams.Highest, byte.MinValue, byte.MaxValue);
    }
}
