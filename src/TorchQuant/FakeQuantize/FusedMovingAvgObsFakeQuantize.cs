namespace TorchQuant;

/// <summary>Fake quantization with moving averages of the smallest and largest value, PyTorch's default for quantization-aware training.</summary>
/// <remarks>PyTorch fuses observer and fake quantization into one operator, which chooses other scales for symmetric weights in training (by the larger of |min| / 128 and max / 127) than its
/// observer does at conversion (max / 127.5). Here both are the observer's: what was trained is what is converted.</remarks>
public sealed class FusedMovingAvgObsFakeQuantize : FakeQuantize
{
    /// <summary>Fake-quantizes with moving averages.</summary>
    /// <param name="observer">Makes the observer: a <see cref="MovingAverageMinMaxObserver"/> or a <see cref="MovingAveragePerChannelMinMaxObserver"/>.</param>
    /// <exception cref="ArgumentException">The observer is another.</exception>
    public FusedMovingAvgObsFakeQuantize(ObserverFactory observer) : base(nameof(FusedMovingAvgObsFakeQuantize), observer)
    {
        if (activation_post_process is MovingAverageMinMaxObserver or MovingAveragePerChannelMinMaxObserver)
            return;
        var found = $"{activation_post_process}";
        Dispose();
        throw new ArgumentException($"{nameof(FusedMovingAvgObsFakeQuantize)} takes a moving-average observer, found {found}; use FakeQuantize for other observers.", nameof(observer));
    }

    /// <summary>A factory of these modules, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="FusedMovingAvgObsFakeQuantize(ObserverFactory)"/>
    public static new ObserverFactory with_args(ObserverFactory observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        return new(() => new FusedMovingAvgObsFakeQuantize(observer));
    }
}
