namespace TorchQuant;

/// <summary>A module of a prepared model that calibration watches: a stub, a <see cref="FloatFunctional"/>, or a float module in an <see cref="ObservedModule"/>.</summary>
public interface IObserved
{
    /// <summary>What observes the module's output; null where nothing is observed.</summary>
    ObserverBase? activation_post_process { get; }

    /// <summary>What <c>prepare</c> decided for the module and what calibration did with it; null before.</summary>
    internal CalibrationRecord? Calibration { get; set; }

    /// <summary>Called once by <c>prepare</c>.</summary>
    internal void Attach(ObserverBase? observer, CalibrationRecord record);
}
