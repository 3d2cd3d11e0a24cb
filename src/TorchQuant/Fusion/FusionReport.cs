using TorchQuant.Analysis;
using TorchQuant.Fusion;

namespace TorchQuant;

/// <summary>What <c>fuse_modules</c> found in a model by running it once on an example.</summary>
/// <param name="Fused">The sequences that were fused, in the order of their first calls.</param>
/// <param name="NotFused">Longest sequences that were called in an order that can be fused, but were not fused as a whole, each with the reason. A part of one can be in <paramref name="Fused"/>.</param>
public sealed record FusionReport(IReadOnlyList<FusedSequence> Fused, IReadOnlyList<UnfusedSequence> NotFused)
{
    /// <summary>A table as text: one row for each sequence.</summary>
    public override string ToString() => new TextTable("modules", "types", "fused into", "not fused because")
        .Add(Fused.Select(f => Row(f.Names, f.Types, CSharpNames.Of(f.FusedType), "")))
        .Add(NotFused.Select(n => Row(n.Names, n.Types, "", n.Reason)))
        .ToString();

    private static object[] Row(IReadOnlyList<string> names, IReadOnlyList<Type> types, string fused, string reason) => [string.Join(", ", names), FusionPattern.NameOf(types), fused, reason];
}
