using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>One place that holds a module: a field, an element of a collection, an entry of the parent's registry.</summary>
/// <param name="Path">Dotted path of the module held.</param>
/// <param name="Where">The place as the source names it, e.g. <c>GoogleNet.fc</c>.</param>
/// <param name="Declared">The type that limits what the place can hold.</param>
/// <param name="Container">The declared type of the whole place, e.g. <c>Linear[]</c>; equals <paramref name="Declared"/> for a plain field.</param>
/// <param name="Current">The module held now.</param>
/// <param name="Set">Stores another module; null: the place cannot be changed and <paramref name="Obstacle"/> says why and the mend.</param>
/// <param name="Obstacle">Why the place cannot be changed.</param>
/// <param name="IsRegistry">The place is the parent's registry (state_dict, train, to and Dispose go by it).</param>
internal sealed record Slot(string Path, string Where, Type Declared, Type Container, nn.Module Current, Action<nn.Module>? Set, string? Obstacle = null, bool IsRegistry = false);
