namespace TorchQuant;

/// <summary>
/// Modules of a model cannot be replaced. Nothing was changed. The message lists every refusal, each with the dotted path, what stands in the way and the mend.
/// </summary>
public sealed class ModuleReplacementException : InvalidOperationException
{
    /// <summary>Makes the exception for these refusals.</summary>
    /// <param name="refusals">One line each: dotted path, obstacle, mend.</param>
    /// <param name="innerException">What a replacement's own construction threw, or null.</param>
    public ModuleReplacementException(IReadOnlyList<string> refusals, Exception? innerException = null)
        : base($"{refusals.Count} module(s) cannot be replaced; the model is unchanged:{string.Concat(refusals.Select(r => "\n  " + r))}", innerException)
        => Refusals = refusals;

    /// <summary>One line each: dotted path, obstacle, mend.</summary>
    public IReadOnlyList<string> Refusals { get; }
}
