using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>One module that was replaced.</summary>
/// <param name="Path">Its dotted path in the model.</param>
/// <param name="Old">The module that was there. It is not disposed: its parameters may be shared with its replacement or with code outside.</param>
/// <param name="New">The module that is there now.</param>
/// <param name="ByHook">The old module still sits in a field that cannot hold the new one and hands its calls to it.</param>
public sealed record ModuleReplacement(string Path, nn.Module Old, nn.Module New, bool ByHook);
