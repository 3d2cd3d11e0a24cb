namespace TorchQuant.Kernels;

/// <summary>A <see cref="Residual"/> as drivers and epilogues see it.</summary>
internal unsafe struct ResidualSum
{
    /// <summary>Whether there is one.</summary>
    public bool IsSet;

    /// <summary>Bytes from a code of the output to the one that is added to it.</summary>
    public nint Offset;

    /// <summary>The operation: first the code that is computed, then the one that is added.</summary>
    public CodePairFactors Factors;

    public static ResidualSum Of(in Residual residual, byte* codes, byte* output, QParams computed) => new()
    {
        IsSet = true,
        Offset = (nint)(codes - output),
        Factors = Int8Add.Factors(computed, residual.CodeParams, residual.SumParams, residual.Relu),
    };

    /// <summary>What is added to the codes at an address; null if nothing is.</summary>
    public readonly byte* At(byte* output) => IsSet ? output + Offset : null;
}
