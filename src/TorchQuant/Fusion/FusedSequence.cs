namespace TorchQuant;

/// <summary>A row of <see cref="FusionReport.Fused"/>: modules that were fused into one.</summary>
/// <param name="Names">Their dotted names in the order of the calls, as <c>fuse_modules</c> takes them.</param>
/// <param name="Types">Their types.</param>
/// <param name="FusedType">The type of the module that is now under the first name.</param>
public sealed record FusedSequence(IReadOnlyList<string> Names, IReadOnlyList<Type> Types, Type FusedType);
