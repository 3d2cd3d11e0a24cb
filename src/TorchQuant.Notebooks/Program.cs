using System.CommandLine;
using TorchQuant.Notebooks.Run;

var root = new RootCommand("Runs .NET notebooks.") { RunCommand.Create() };
// The commands answer Ctrl+C themselves: they write what there is before they end.
var exitCode = await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
// A cell may have left threads in the foreground, or be going on after it was stopped.
Environment.Exit(exitCode);
