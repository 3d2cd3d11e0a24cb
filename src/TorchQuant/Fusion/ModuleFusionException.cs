namespace TorchQuant;

/// <summary>Modules cannot be fused. Nothing was changed. The message lists every problem of the call, each with the names, what was found, what is expected and the mend.</summary>
public sealed class ModuleFusionException : InvalidOperationException
{
    /// <summary>Makes the exception for these problems.</summary>
    /// <param name="problems">One line each.</param>
    /// <param name="innerException">What the model threw, or null.</param>
    public ModuleFusionException(IReadOnlyList<string> problems, Exception? innerException = null)
        : base($"Modules cannot be fused ({problems.Count} problem(s)); the model is unchanged:{string.Concat(problems.Select(p => "\n  " + p))}", innerException)
        => Problems = problems;

    /// <summary>One line each: names, what was found, the mend.</summary>
    public IReadOnlyList<string> Problems { get; }
}
