namespace TorchQuant.Notebooks.Tests.Support;

/// <summary>Tests that change what a process has once: its console, its current notebook, its loaded assemblies.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProcessState
{
    public const string Name = "process state";
}
