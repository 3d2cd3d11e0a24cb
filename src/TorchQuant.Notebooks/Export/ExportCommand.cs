using System.CommandLine;
using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Html;
using TorchQuant.Notebooks.Run;

namespace TorchQuant.Notebooks.Export;

/// <summary>The notebook cannot be exported as it is; the message says which cell stands in the way and the mend.</summary>
internal sealed class ExportException(string message) : Exception(message);

/// <summary>The command <c>export</c>: a notebook as a page or as a script. Nothing is run.</summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("notebook") { Description = "The .ipynb or .dib file." };
        var html = new Option<bool>("--html") { Description = "As one HTML file, with the outputs that the notebook holds." };
        var script = new Option<bool>("--script") { Description = "As a program: of C# a file for `dotnet run`, of F# a script for `dotnet fsi`." };
        var output = new Option<string?>("--out") { Description = "The file to write. Default: beside the notebook, with its name." };
        var force = new Option<bool>("--force") { Description = "Write over a file that was not exported before." };
        var command = new Command("export", "Writes a notebook as an HTML page or as a script, without running it.") { file, html, script, output, force };
        command.SetAction(result =>
        {
            var (said, errors) = (result.InvocationConfiguration.Output, result.InvocationConfiguration.Error);
            try
            {
                if (result.GetValue(html) == result.GetValue(script)) throw new ExportException("Say one of --html and --script.");
                var path = Path.GetFullPath(result.GetRequiredValue(file));
                if (!File.Exists(path)) throw new ExportException($"There is no file {path}.");
                var document = NotebookDocument.Load(path);
                var (extension, text, mark) = result.GetValue(html) ? Page(document, path, errors) : Program(document, path);
                var target = Path.GetFullPath(result.GetValue(output) ?? Path.ChangeExtension(path, extension));
                Write(target, text, mark, result.GetValue(force));
                said.WriteLine(target);
                return ExitCodes.Success;
            }
            catch (Exception e) when (e is ExportException or NotebookFormatException)
            {
                errors.WriteLine(e.Message);
                return ExitCodes.Usage;
            }
        });
        return command;
    }

    private static (string Extension, string Text, string Mark) Page(NotebookDocument document, string path, TextWriter errors)
    {
        var code = document.Cells.Where(cell => cell.IsCode && !string.IsNullOrWhiteSpace(cell.Source)).ToArray();
        var missing = code.Count(cell => cell.ExecutionCount is null && cell.Outputs.Count == 0);
        if (missing > 0) errors.WriteLine($"{missing} of {code.Length} code cells were not executed, and have no outputs in the page. `run` executes a notebook and writes its page.");
        return (".html", HtmlPage.Render(document, Path.GetFileNameWithoutExtension(path), Path.GetDirectoryName(path)!), HtmlPage.Mark);
    }

    private static (string Extension, string Text, string Mark) Program(NotebookDocument document, string path)
    {
        var parts = ScriptSource.Read(document, path);
        return parts.Language == Engine.CellLanguage.FSharp ? (".fsx", FSharpScript.Write(parts), ScriptSource.Mark) : (".cs", CSharpProgram.Write(parts), ScriptSource.Mark);
    }

    // What somebody wrote by hand is not written over.
    private static void Write(string path, string text, string mark, bool force)
    {
        try
        {
            if (!force && File.Exists(path) && !File.ReadAllText(path).Contains(mark, StringComparison.Ordinal))
                throw new ExportException($"{path} exists and was not exported from a notebook. Name another file with --out, or replace it with --force.");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ExportException($"{path} cannot be written: {e.Message}");
        }
    }
}
