namespace TorchQuant.Kernels;

/// <summary>The numbers of an operation on two codes that are the same for all elements.</summary>
/// <param name="AScale">Of the first code.</param>
/// <param name="AZero">Of the first code.</param>
/// <param name="BScale">Of the second code.</param>
/// <param name="BZero">Of the second code.</param>
/// <param name="Ratio">Divides by the scale of the output.</param>
internal readonly record struct CodePairFactors(float AScale, float AZero, float BScale, float BZero, float Ratio)
{
    /// <summary>What results stay below if they are to fit an int32, with room for rounding.</summary>
    public const double Bound = 1 << 30;

    /// <summary>Whether every result is a number that an int32 holds, however large it is against the scale of the output.</summary>
    public bool IsBounded { get; init; }

    /// <summary>The output's zero point.</summary>
    public int ZeroPoint { get; init; }

    /// <summary>The smallest code to give.</summary>
    public int Lowest { get; init; }

    /// <summary>The largest code to give.</summary>
    public int Highest { get; init; }
}
