using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>One sequence of modules that can be fused.</summary>
/// <param name="Types">The exact types, in the order in which they are called.</param>
/// <param name="Fused">What the first becomes; the others become Identity.</param>
/// <param name="Folds">Whether the second is a batch norm whose statistics go into the weights of the first: only in eval mode.</param>
/// <param name="KeepsNorm">Whether the second is a batch norm that goes on training beside the first: only in training mode.</param>
/// <param name="Fuse">Makes the fused module of modules of those types.</param>
internal sealed record FusionPattern(IReadOnlyList<Type> Types, Type Fused, bool Folds, bool KeepsNorm, Func<IReadOnlyList<nn.Module>, nn.Module> Fuse)
{
    /// <summary>The types as a user writes them: <c>Conv2d, BatchNorm2d, ReLU</c>.</summary>
    public override string ToString() => NameOf(Types);

    public static string NameOf(IEnumerable<Type> types) => string.Join(", ", types.Select(t => CSharpNames.Of(t)));
}
