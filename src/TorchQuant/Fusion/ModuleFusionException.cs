namespace TorchQuant;

/// <summary>Modules cannot be fused. Nothing was changed. The message lists every problem of the call, each with the names, what was found, what is expected and the mend.</summary>
public sealed class ModuleFusionException : InvalidOperationException
{
    /// <summary>Makes the exception for these problems.</summary>
    /// <param name="problems">One line each.</param>
    public ModuleFusionException(IReadOnlyList<string> problems)
        : base($"Modules cannot be fused ({problems.Count} problem(s)); the model is unchanged:{string.Concat(problems.Select(p => "\n  " + p))}")
        => Problems = problems;

    /// <summary>One line each: names, what was found, the mend.</summary>
    public IReadOnlyList<string> Problems { get; }
}
