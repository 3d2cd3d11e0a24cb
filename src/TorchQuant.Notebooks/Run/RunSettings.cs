namespace TorchQuant.Notebooks.Run;

/// <summary>What is to be run and where its results go; paths are absolute.</summary>
internal sealed record RunSettings(string Notebook, string OutputFolder, NotebookParameters Parameters, TimeSpan? Timeout)
{
    public string Name => Path.GetFileNameWithoutExtension(Notebook);

    public string ExecutedFile => Path.Combine(OutputFolder, Name + ".ipynb");

    public string PageFile => Path.Combine(OutputFolder, Name + ".html");

    public string MetricsFile => Path.Combine(OutputFolder, "metrics.json");
}
