namespace TorchQuant;

/// <summary>An object in the fields or hooks of modules that belongs to one model: <see cref="ModuleTree.Copy"/> gives the copy one of its own, also where it holds neither modules nor tensors.</summary>
internal interface ICopiedWithModel;
