namespace TorchQuant;

/// <summary>A model cannot be copied soundly. The message lists every obstacle with its dotted path; the model is unchanged.</summary>
public sealed class ModuleCopyException : InvalidOperationException
{
    /// <summary>Makes the exception for these obstacles.</summary>
    /// <param name="refusals">One line each: dotted path and obstacle.</param>
    public ModuleCopyException(IReadOnlyList<string> refusals)
        : base($"The model cannot be copied:{string.Concat(refusals.Select(r => "\n  " + r))}\nGive a function that builds the model instead of the model (the overload with a factory), or quantize in place (inplace: true).")
        => Refusals = refusals;

    /// <summary>One line each: dotted path and obstacle.</summary>
    public IReadOnlyList<string> Refusals { get; }
}
