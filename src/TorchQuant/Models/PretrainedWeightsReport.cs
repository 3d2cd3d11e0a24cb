namespace TorchQuant.Models;

/// <summary>What <see cref="PretrainedWeights.Load"/> did with each tensor of a file and of a model, by their names in <c>state_dict</c>.</summary>
/// <param name="Path">The file.</param>
/// <param name="Loaded">Tensors of the model that now hold the file's values.</param>
/// <param name="LeftOut">What the caller left out: tensors of the model that are as they were.</param>
/// <param name="Kept">Counters of batch norms (<c>num_batches_tracked</c>) that the file does not have: as they were in the model.</param>
/// <param name="Ignored">Tensors of the file that belong to the stubs, additions and observers of torchvision's quantizable models, and are no weights.</param>
public sealed record PretrainedWeightsReport(string Path, IReadOnlyList<string> Loaded, IReadOnlyList<string> LeftOut, IReadOnlyList<string> Kept, IReadOnlyList<string> Ignored)
{
    /// <summary>One line: the file, how many were loaded, and the names of the others.</summary>
    public override string ToString() =>
        $"{Path}: {Loaded.Count} tensors loaded{Names("left out", LeftOut)}{Names("kept", Kept)}{Names("ignored", Ignored)}";

    private static string Names(string what, IReadOnlyList<string> names) => names.Count == 0 ? "" : $"; {names.Count} {what}: {string.Join(", ", names)}";
}
