using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Documents;

/// <summary>The language of a notebook's cells that do not name their own.</summary>
internal static class NotebookLanguage
{
    /// <exception cref="NotebookFormatException">It is none that this program knows.</exception>
    public static CellLanguage Of(NotebookDocument document, string path) => document.Language?.ToUpperInvariant() switch
    {
        null or "C#" or "CSHARP" or "POLYGLOT-NOTEBOOK" => CellLanguage.CSharp,
        "F#" or "FSHARP" => CellLanguage.FSharp,
        _ => throw new NotebookFormatException($"{path} is a notebook of {document.Language}; this program runs notebooks of C# and F# (kernels .net-csharp, .net-fsharp, torchquant-csharp, torchquant-fsharp)."),
    };
}
