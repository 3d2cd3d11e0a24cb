namespace TorchQuant.Kernels;

/// <summary>Affine quantization parameters: real = Scale * (code - ZeroPoint).</summary>
/// <param name="Scale">The real distance of two neighbouring codes; positive.</param>
/// <param name="ZeroPoint">The code of real zero.</param>
public readonly record struct QParams(float Scale, int ZeroPoint)
{
    // Counted from the end, so that the default of the struct has the whole range too.
    private readonly byte _cut;

    /// <summary>The smallest code that a kernel gives where these are the parameters of its uint8 output; 0 unless set.</summary>
    public byte Lowest { get; init; }

    /// <summary>The largest code that a kernel gives where these are the parameters of its uint8 output; 255 unless set. Networks that were trained with fewer codes saturate there.</summary>
    public byte Highest
    {
        get => (byte)(byte.MaxValue - _cut);
        init => _cut = (byte)(byte.MaxValue - value);
    }
}
