using System.Runtime.InteropServices;

namespace TorchQuant.Kernels;

/// <summary>What requantization needs to know about the columns of a panel. A multiple of 64 bytes long, so that of several at an aligned address all vectors are aligned.</summary>
[StructLayout(LayoutKind.Sequential, Size = 448)]
internal unsafe struct ByteTerms
{
    /// <summary>The activations' zero point times the sum of the column.</summary>
    public fixed int Corrections[PackedWeights.PanelColumns];

    /// <summary>Times <see cref="BiasFactor"/> the bias in units of the sums, 0 where there is none: adding it to a sum then changes no bit.</summary>
    public fixed float Biases[PackedWeights.PanelColumns];

    /// <summary>From sums to codes; for Hardswish, which comes in between, to real numbers.</summary>
    public fixed float Multipliers[PackedWeights.PanelColumns];

    /// <summary>1 where <see cref="Biases"/> are in units of the sums already.</summary>
    public float BiasFactor;

    /// <summary>The range of the codes, counted from the output's zero point.</summary>
    public float Lowest;
    public float Highest;

    /// <summary>Whether biases in units of the sums and multipliers are finite numbers.</summary>
    public bool IsFinite;

    /// <summary>Whether no sum of a product can leave int32 when it is scaled to codes.</summary>
    public bool IsBounded;
}
