namespace TorchQuant.Notebooks.Engine;

/// <summary>A variable that cells declared, as it is now.</summary>
internal sealed record CellVariable(string Name, Type Type, object? Value, bool IsReadOnly);
