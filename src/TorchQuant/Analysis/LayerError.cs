namespace TorchQuant;

/// <summary>How far a layer's output in one model lies from that in another, over all data that both have seen.</summary>
/// <param name="Path">The layer's dotted name in the models.</param>
/// <param name="Before">Its type in the first model, usually float.</param>
/// <param name="After">Its type in the second model, usually int8.</param>
/// <param name="Count">Values that were compared.</param>
/// <param name="Signal">Σ x², of the first model's outputs x.</param>
/// <param name="Noise">Σ (x - y)², y those of the second model, dequantized.</param>
/// <param name="AbsoluteError">Σ |x - y|.</param>
public sealed record LayerError(string Path, string Before, string After, long Count, double Signal, double Noise, double AbsoluteError)
{
    /// <summary>The signal to quantization noise ratio in decibels: 20 log10(‖x‖ / ‖x - y‖), PyTorch's <c>compute_sqnr</c>. Each further bit gives about 6 dB. Infinite where nothing differs.</summary>
    public double Sqnr => 10 * Math.Log10(Signal / Noise);

    /// <summary>The mean of |x - y|.</summary>
    public double MeanAbsoluteError => AbsoluteError / Count;
}
