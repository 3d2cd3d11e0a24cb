namespace TorchQuant;

/// <summary>A row of <see cref="FusionReport.NotFused"/>: modules that were called one on the output of the other, in an order that can be fused, and were left as they are.</summary>
/// <param name="Names">Their dotted names in the order of the calls.</param>
/// <param name="Types">Their types.</param>
/// <param name="Reason">Why, with the mend where there is one.</param>
public sealed record UnfusedSequence(IReadOnlyList<string> Names, IReadOnlyList<Type> Types, string Reason);
