namespace TorchQuant.Interactive;

/// <summary>Several visuals under each other, such as a table and its chart.</summary>
public sealed record VisualGroup : Visual
{
    /// <summary>Visuals from top to bottom.</summary>
    public VisualGroup(IReadOnlyList<Visual> visuals) => Visuals = [.. visuals];

    /// <summary>The visuals.</summary>
    public IReadOnlyList<Visual> Visuals { get; }

    /// <inheritdoc/>
    public override string ToHtml() => string.Join('\n', Visuals.Select(visual => visual.ToHtml()));

    /// <inheritdoc/>
    public override string ToText() => string.Join("\n\n", Visuals.Select(visual => visual.ToText()));
}
