using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>Modules that are fused into one.</summary>
/// <param name="Names">Their dotted names, as the caller gave them.</param>
/// <param name="Modules">The modules of these names.</param>
/// <param name="Pattern">The row of the table that fits their types.</param>
internal sealed record FusionGroup(IReadOnlyList<string> Names, IReadOnlyList<nn.Module> Modules, FusionPattern Pattern)
{
    /// <summary>The names, for messages: <c>conv, bn, relu</c>.</summary>
    public string Label { get; } = string.Join(", ", Names);

    /// <summary>The type that takes the place of the module at that position.</summary>
    public Type ReplacementAt(int position) => position == 0 ? Pattern.Fused : typeof(TorchSharp.Modules.Identity);
}
