namespace TorchQuant.Fusion;

/// <summary>One module was called on the output of another.</summary>
/// <param name="From">The module that gave the tensor.</param>
/// <param name="To">The module that took it.</param>
internal sealed record FusionLink(CallRecorder From, CallRecorder To);
