using System.CommandLine;
using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Run;

namespace TorchQuant.Notebooks.Outputs;

/// <summary>The command <c>outputs</c>: the outputs that notebooks carry in a repository.</summary>
internal static class OutputsCommand
{
    private const int ShortestName = 4; // a machine that is called "vm" is in many texts

    private static IReadOnlyCollection<string> Places { get; } =
        [.. new[] { Environment.MachineName, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), Environment.CurrentDirectory }.Where(place => place.Length >= ShortestName)];

    public static Command Create() => new("outputs", "The outputs that notebooks carry in a repository.") { CreateKeep(), CreateCheck() };

    private static Command CreateKeep()
    {
        var files = Files();
        var from = new Option<string>("--from") { Description = "The folder of the runs: <from>/<name>/<name>.ipynb holds the executed notebook.", DefaultValueFactory = _ => "out" };
        var command = new Command("keep", "Puts the outputs of the last run into the notebooks themselves: drawings as SVG, the rest as HTML and text.") { files, from };
        command.SetAction(result => Act(result, files, (path, _) =>
        {
            var name = Path.GetFileNameWithoutExtension(path);
            var notebook = NotebookDocument.Load(path);
            KeptOutputs.Keep(notebook, NotebookDocument.Load(Path.Combine(result.GetRequiredValue(from), name, name + ".ipynb")), path, Places);
            notebook.Save(path);
            return true;
        }));
        return command;
    }

    private static Command CreateCheck()
    {
        var files = Files();
        var command = new Command("check", "Says which outputs are missing, not of the notebook's present code, or name this machine or its folders. Exit code 1 if there are any.") { files };
        command.SetAction(result => Act(result, files, (path, errors) =>
        {
            var faults = KeptOutputs.Faults(NotebookDocument.Load(path), Places).ToArray();
            foreach (var fault in faults) errors.WriteLine($"{path}: {fault}");
            return faults.Length == 0;
        }));
        return command;
    }

    private static Argument<string[]> Files() => new("notebook") { Arity = ArgumentArity.OneOrMore, Description = "The .ipynb files." };

    private static int Act(ParseResult result, Argument<string[]> files, Func<string, TextWriter, bool> act)
    {
        var errors = result.InvocationConfiguration.Error;
        try
        {
            var good = true;
            foreach (var path in result.GetRequiredValue(files)) good &= act(path, errors);
            return good ? ExitCodes.Success : ExitCodes.Failed;
        }
        catch (NotebookFormatException e)
        {
            errors.WriteLine(e.Message);
            return ExitCodes.Usage;
        }
    }
}
