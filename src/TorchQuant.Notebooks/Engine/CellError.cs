using System.Diagnostics;
using System.Reflection;

namespace TorchQuant.Notebooks.Engine;

/// <summary>Why a cell failed, in the terms of its reader: cell and line, and the frames that lie in cells with their code.</summary>
/// <param name="Name">The compiler's error number or the exception's type.</param>
/// <param name="Message">The message.</param>
/// <param name="Line">The line in the failing cell, counted from 1, when it is known.</param>
/// <param name="Code">The text of that line.</param>
/// <param name="Traceback">What to print below the message, line by line.</param>
internal sealed record CellError(string Name, string Message, int? Line, string? Code, IReadOnlyList<string> Traceback)
{
    private const int MostForeignFrames = 12;

    /// <summary>The message and the traceback: what a notebook shows.</summary>
    public IEnumerable<string> Lines => Traceback.Prepend($"{Name}: {Message}");

    public static CellError FromDiagnostics(IReadOnlyList<CodeDiagnostic> errors, CellSources sources)
    {
        var first = errors[0];
        var traceback = new List<string>();
        foreach (var error in errors)
        {
            var code = sources.Line(error.File, error.Line) ?? "";
            traceback.Add($"{error.File}, line {error.Line}: {error.Id}: {error.Message}");
            traceback.Add("    " + code.TrimEnd());
            traceback.Add("    " + new string([.. code.Take(error.Column).Select(c => c == '\t' ? '\t' : ' ')]) + "^");
        }
        return new CellError(first.Id, first.Message, first.Line, sources.Line(first.File, first.Line)?.Trim(), traceback);
    }

    public static CellError FromDirective(Exception exception, string file, CellSources sources)
    {
        var line = (exception as CellException)?.Line;
        var code = line is { } known ? sources.Line(file, known)?.Trim() : null;
        List<string> traceback = code is null ? [] : [$"{file}, line {line}: {code}"];
        return new CellError("NotebookError", exception.Message, line, code, traceback);
    }

    public static CellError FromException(Exception exception, string file, CellSources sources)
    {
        var cause = Unwrap(exception);
        var traceback = new List<string>();
        int? line = null;
        for (var e = cause; e is not null; e = e.InnerException)
        {
            if (e != cause) traceback.Add($"caused by {e.GetType().Name}: {e.Message}");
            AddFrames(e, traceback, file, sources, ref line);
        }
        return new CellError(cause.GetType().Name, cause.Message, line, line is { } known ? sources.Line(file, known)?.Trim() : null, traceback);
    }

    // Wrappers say nothing that their only cause does not say better.
    private static Exception Unwrap(Exception e) => e switch
    {
        TargetInvocationException { InnerException: { } inner } => Unwrap(inner),
        AggregateException { InnerExceptions: [var only] } => Unwrap(only),
        _ => e,
    };

    private static void AddFrames(Exception e, List<string> traceback, string file, CellSources sources, ref int? line)
    {
        var foreign = 0;
        foreach (var frame in new StackTrace(e, fNeedFileInfo: true).GetFrames())
        {
            var method = frame.GetMethod();
            // Below the cell there is only this host.
            if (method is not null && IsHost(method)) break;
            // The compiler makes a full path of the cell's name.
            if (Path.GetFileName(frame.GetFileName()) is { } name && sources.Line(name, frame.GetFileLineNumber()) is { } code)
            {
                traceback.Add($"{name}, line {frame.GetFileLineNumber()}: {code.Trim()}");
                if (name == file) line ??= frame.GetFileLineNumber();
            }
            else if (method is not null && !IsPlumbing(method) && foreign++ < MostForeignFrames)
            {
                traceback.Add($"   at {method.DeclaringType?.FullName}.{method.Name}");
            }
        }
    }

    private static bool IsHost(MethodBase method)
    {
        var type = method.DeclaringType;
        while (type?.DeclaringType is { } outer) type = outer;
        return type == typeof(CSharpScriptEngine) || type == typeof(CellRun) || type?.Namespace?.StartsWith("FSharp.Compiler", StringComparison.Ordinal) == true;
    }

    private static bool IsPlumbing(MethodBase method) =>
        method.DeclaringType is null // made at run time, for a reflected or dynamic call
        || method.GetCustomAttribute<StackTraceHiddenAttribute>() is not null
        || method.DeclaringType?.GetCustomAttribute<StackTraceHiddenAttribute>() is not null
        || method.DeclaringType?.FullName?.StartsWith("Submission#", StringComparison.Ordinal) == true
        || IsReflection(method.DeclaringType); // how F# starts a cell; which of its types take part depends on how often .NET has called a method

    private static bool IsReflection(Type? type) =>
        type?.Namespace == typeof(MethodBase).Namespace || type == typeof(RuntimeMethodHandle) || type == typeof(Activator) || type?.FullName is "System.RuntimeType" or "System.RuntimeMethodHandleInternal";
}
