namespace TorchQuant;

/// <summary>How a module is quantized: one factory of observers for what flows out of (dynamic: into) it, one for its weights.</summary>
/// <remarks>As in PyTorch it holds factories, not observers, since each module gets observers of its own:
/// <c>new QConfig(PlaceholderObserver.with_args(is_dynamic: true), MinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_tensor_symmetric))</c>.
/// The ready ones are members of <see cref="quantization"/>.</remarks>
/// <param name="activation">Makes the observer of the activations.</param>
/// <param name="weight">Makes the observer of a weight.</param>
public sealed record QConfig(ObserverFactory activation, ObserverFactory weight);
