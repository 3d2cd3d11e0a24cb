namespace TorchQuant.Notebooks.Engine;

/// <summary>An error of a compiler: its number, and the place, line counted from 1 and column from 0.</summary>
internal sealed record CodeDiagnostic(string Id, string Message, string File, int Line, int Column);

/// <summary>What a piece of code gave: errors of the compiler, or an exception, or (when it ends in an expression) a value.</summary>
internal readonly record struct CodeOutcome(IReadOnlyList<CodeDiagnostic> Errors, Exception? Exception, bool HasValue, object? Value)
{
    public static CodeOutcome Nothing { get; } = new([], null, false, null);

    public static CodeOutcome OfErrors(IReadOnlyList<CodeDiagnostic> errors) => new(errors, null, false, null);

    public static CodeOutcome OfException(Exception exception) => new([], exception, false, null);
}
