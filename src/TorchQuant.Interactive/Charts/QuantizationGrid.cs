namespace TorchQuant.Interactive;

/// <summary>
/// The numbers that a quantized tensor can hold: real = Scale * (code - ZeroPoint) for each code from <paramref name="QuantMin"/> to <paramref name="QuantMax"/>.
/// A histogram shows them as a comb under the bins.
/// </summary>
/// <param name="Scale">The distance of two neighbours, positive and finite.</param>
/// <param name="ZeroPoint">The code of 0.</param>
/// <param name="QuantMin">The lowest code.</param>
/// <param name="QuantMax">The highest code.</param>
public sealed record QuantizationGrid(double Scale, int ZeroPoint = 0, int QuantMin = -128, int QuantMax = 127)
{
    /// <summary>The distance of two neighbours.</summary>
    public double Scale { get; } = double.IsFinite(Scale) && Scale > 0
        ? Scale
        : throw new ArgumentException($"A quantization grid's scale must be positive and finite, not {Scale}.", nameof(Scale));

    /// <summary>The highest code.</summary>
    public int QuantMax { get; } = QuantMax > QuantMin
        ? QuantMax
        : throw new ArgumentException($"A quantization grid's highest code ({QuantMax}) must be above its lowest ({QuantMin}).", nameof(QuantMax));

    /// <summary>How many numbers it has.</summary>
    public long Levels => (long)QuantMax - QuantMin + 1;

    /// <summary>The lowest number.</summary>
    public double Minimum => ValueOf(QuantMin);

    /// <summary>The highest number.</summary>
    public double Maximum => ValueOf(QuantMax);

    /// <summary>The number that <paramref name="code"/> stands for.</summary>
    public double ValueOf(long code) => Scale * (code - ZeroPoint);
}
