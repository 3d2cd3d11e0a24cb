using System.Text.Json.Nodes;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Jupyter;

/// <summary>What front ends are told about a language.</summary>
/// <param name="Language">The language that cells of the kernel begin in.</param>
/// <param name="Name">Its name in kernel specs and notebooks.</param>
/// <param name="Argument">Its name on the command line.</param>
/// <param name="SpecName">The name of our kernel spec.</param>
/// <param name="InteractiveName">The name that .NET Interactive's kernel spec has, by which notebooks ask for it.</param>
/// <param name="FileExtension">The extension of its files.</param>
/// <param name="Lexer">Its name for highlighters (Pygments; text/x-… for CodeMirror).</param>
internal sealed record KernelLanguage(CellLanguage Language, string Name, string Argument, string SpecName, string InteractiveName, string FileExtension, string Lexer)
{
    public static IReadOnlyList<KernelLanguage> All { get; } =
    [
        new(CellLanguage.CSharp, "C#", "csharp", "torchquant-csharp", ".net-csharp", ".cs", "csharp"),
        new(CellLanguage.FSharp, "F#", "fsharp", "torchquant-fsharp", ".net-fsharp", ".fs", "fsharp"),
    ];

    public string DisplayName => $"{Name} (TorchQuant)";

    public JsonObject Info => new()
    {
        ["name"] = Name,
        ["version"] = Environment.Version.ToString(),
        ["mimetype"] = "text/x-" + Lexer,
        ["file_extension"] = FileExtension,
        ["pygments_lexer"] = Lexer,
        ["codemirror_mode"] = "text/x-" + Lexer,
    };
}
