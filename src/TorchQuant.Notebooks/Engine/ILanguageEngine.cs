using TorchQuant.Notebooks.Engine.Editing;

namespace TorchQuant.Notebooks.Engine;

/// <summary>A language of cells: what a session needs of it. Called by one thread at a time.</summary>
internal interface ILanguageEngine : IDisposable
{
    /// <summary>The variables there are; where a name was declared again, the newest declaration only.</summary>
    IEnumerable<CellVariable> Variables { get; }

    /// <summary>What later pieces of code can use besides the runtime: replaces what was set before.</summary>
    void SetPackageReferences(IReadOnlyCollection<string> assemblies);

    /// <summary>Compiles and runs a piece of code. Exceptions that the code throws are returned, not thrown.</summary>
    /// <param name="code">The code.</param>
    /// <param name="file">The file name that its lines carry in diagnostics and stack traces.</param>
    /// <param name="run">The cell that it belongs to.</param>
    /// <exception cref="OperationCanceledException">The cell was interrupted.</exception>
    CodeOutcome Run(string code, string file, CellRun run);

    Task<Completions> CompleteAsync(string code, int position);

    /// <returns>Signature and documentation of what stands at the position, or null.</returns>
    Task<string?> InspectAsync(string code, int position);

    Completeness Check(string code);
}
