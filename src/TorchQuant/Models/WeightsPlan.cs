using TorchQuant.Serialization;
using static TorchSharp.torch;

namespace TorchQuant.Models;

/// <summary>What is to be copied where, and everything that stands against it; nothing is changed.</summary>
internal sealed class WeightsPlan
{
    private const int MostProblems = 20;
    private const string Counter = "num_batches_tracked";

    private const string
        MissingMend = "What is missing: take the file of the same architecture (frozen TorchScript has no weights under their names), and load it before fuse_model, prepare and convert rename modules.",
        ExtraMend = "What is not expected: make the model that the file was written from, or take the tensors out of the file.",
        ShapeMend = "Other shapes: make the model with the sizes of the file, or leave the module out (the classifier, for other classes: `LoadWeights(path, head: false)`, or `leaveOut`).",
        TypeMend = "Other types: convert the tensors and write the file again.",
        FiniteMend = "Values that are not finite: get the file again, or train again with a lower learning rate.";

    // The modules of torchvision's quantizable models that the float ones do not have: none of them holds weights.
    private static readonly HashSet<string> s_quantizableParts = ["quant", "dequant", "skip_add", "add_relu", "skip_add_relu", "activation_post_process"];

    private readonly IReadOnlyCollection<string> _leaveOut;
    private readonly List<(string Finding, string Mend)> _problems = [];

    public WeightsPlan(ModelState state, IReadOnlyDictionary<string, Tensor> file, IReadOnlyCollection<string> leaveOut)
    {
        _leaveOut = leaveOut;
        foreach (var (name, target) in state.Tensors)
        {
            string[] names = [name, .. state.Tied.Where(t => t.Value == name).Select(t => t.Key)];
            if (names.Any(IsLeftOut)) LeftOut.Add(name);
            else if (names.FirstOrDefault(file.ContainsKey) is { } source) Add(source, file, target, names);
            else if (name == Counter || name.EndsWith("." + Counter, StringComparison.Ordinal)) Kept.Add(name);
            else
                _problems.Add(($"{name}: found nothing, expected {Describe(target)}.", MissingMend));
        }

        foreach (var (name, tensor) in file.Where(t => !state.Tensors.ContainsKey(t.Key) && !state.Tied.ContainsKey(t.Key) && !IsLeftOut(t.Key)))
            if (name.Split('.').Any(s_quantizableParts.Contains)) Ignored.Add(name);
            else _problems.Add(($"{name}: found {Describe(tensor)}, expected nothing of that name.", ExtraMend));
    }

    public List<(Tensor Target, Tensor Source)> Copies { get; } = [];

    public List<string> Loaded { get; } = [];

    public List<string> LeftOut { get; } = [];

    public List<string> Kept { get; } = [];

    public List<string> Ignored { get; } = [];

    /// <summary>Each finding on a line, at most 20, then each mend once; empty if the file fits.</summary>
    public string Problems
    {
        get
        {
            var findings = string.Concat(_problems.Take(MostProblems).Select(p => $"\n  {p.Finding}"));
            var more = _problems.Count > MostProblems ? $"\n  and {_problems.Count - MostProblems} more" : "";
            return $"{findings}{more}{string.Concat(_problems.Select(p => p.Mend).Distinct().Select(mend => $"\n{mend}"))}";
        }
    }

    private bool IsLeftOut(string name) => _leaveOut.Any(n => name == n || name.StartsWith(n + ".", StringComparison.Ordinal));

    private void Add(string name, IReadOnlyDictionary<string, Tensor> file, Tensor target, string[] names)
    {
        var source = file[name];
        if (Fault(source, target, out var converted) is var (finding, mend))
            _problems.Add(($"{name}: {finding}", mend));
        else if (names.FirstOrDefault(n => n != name && file.TryGetValue(n, out var other) && !other.Equals(source)) is { } different)
            _problems.Add(($"{name}: found other values than in {different}, expected the same: the model shares one tensor between them.", "Write the file with one of the two names only."));
        else
        {
            Copies.Add((target, converted));
            Loaded.Add(names[0]);
        }
    }

    private static (string Finding, string Mend)? Fault(Tensor source, Tensor target, out Tensor converted)
    {
        converted = source;
        if (!source.shape.SequenceEqual(target.shape))
            return ($"found {Describe(source)}, expected {Describe(target)}.", ShapeMend);
        if (source.dtype != target.dtype && !(target.is_floating_point() && source.dtype is ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16))
            return ($"found {Describe(source)}, expected {Describe(target)}{(target.is_floating_point() ? ", or Float32, Float16 or BFloat16" : "")}.", TypeMend);
        if (!target.is_floating_point())
            return null;
        converted = source.to(target.dtype);
        using var finite = converted.isfinite();
        var count = finite.numel() - finite.sum().item<long>();
        return count == 0 ? null : ($"found {count} of {finite.numel()} values that are NaN or infinite, expected finite numbers of {target.dtype}.", FiniteMend);
    }

    private static string Describe(Tensor tensor) => $"{tensor.dtype} [{string.Join(", ", tensor.shape)}]";
}
