namespace TorchQuant.Kernels;

/// <summary>What a kernel applies to its results before they become codes, at no cost of its own.</summary>
public enum FusedActivation
{
    /// <summary>Nothing: codes from 0 to 255.</summary>
    None,

    /// <summary>max(y, 0): codes from the output's zero point.</summary>
    Relu,

    /// <summary>min(max(y, 0), 6): codes from the output's zero point to the code of 6.</summary>
    Relu6,

    /// <summary>y * min(max(y + 3, 0), 6) / 6, in float32 before rounding.</summary>
    Hardswish,
}
