using System.CommandLine;
using TorchQuant.Notebooks.Export;
using TorchQuant.Notebooks.Jupyter;
using TorchQuant.Notebooks.Outputs;
using TorchQuant.Notebooks.Run;

var root = new RootCommand("Runs .NET notebooks, headless and in Jupyter.") { RunCommand.Create(), ExportCommand.Create(), OutputsCommand.Create(), JupyterCommand.Create() };
// The commands answer Ctrl+C themselves: they write what there is before they end.
var call = root.Parse(args);
var exitCode = await call.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
if (call.Errors.Count > 0) exitCode = ExitCodes.Usage;
// A cell may have left threads in the foreground, or be going on after it was stopped.
Environment.Exit(exitCode);
