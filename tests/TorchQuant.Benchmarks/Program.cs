using System.CommandLine;
using TorchQuant.Benchmarks.Commands;

var root = new RootCommand("Benchmarks of TorchQuant.") { PeersCommand.Create(), ScalingCommand.Create(), QatCommand.Create() };
return root.Parse(args).Invoke();
