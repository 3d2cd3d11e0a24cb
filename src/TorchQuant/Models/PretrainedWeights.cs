using TorchQuant.Modules;
using TorchQuant.Serialization;
using static TorchSharp.torch;

namespace TorchQuant.Models;

/// <summary>
/// Loads trained weights, torchvision's for example, into a float model whose <c>state_dict</c> has the same names: from a safetensors file, or from a TorchScript archive
/// (what <c>torch.jit.script(model).save(path)</c> writes). Files of <c>torch.save</c> (.pth) hold Python objects and are refused; the message has the line of Python that converts one.
/// </summary>
public static class PretrainedWeights
{
    private const string Counter = "num_batches_tracked";
    private const int MostProblems = 20;

    // The modules of torchvision's quantizable models that the float ones do not have: none of them holds weights.
    private static readonly HashSet<string> s_quantizableParts = ["quant", "dequant", "skip_add", "add_relu", "skip_add_relu", "activation_post_process"];

    /// <summary>
    /// Changes the model: its parameters and buffers get the file's values, converted to their types (from float32, float16 or bfloat16). Everything is checked first; a file that does not fit leaves the
    /// model as it was. Stubs, additions and observers that only torchvision's quantizable models have may be in the file, and <c>num_batches_tracked</c> may be missing.
    /// </summary>
    /// <param name="model">The float model, before it is fused, prepared or quantized; <see cref="ResNet"/> and <see cref="MobileNetV2"/> have <c>LoadWeights</c> for this.</param>
    /// <param name="path">The file; its content tells its kind, not its name. Load TorchScript archives of people you trust only: libtorch compiles the code in them.</param>
    /// <param name="leaveOut">Dotted names of modules or tensors that stay as they are and that the file need not fit, such as the classifier ("fc") for other classes.</param>
    /// <returns>What was loaded and what not.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="QuantizedFileException">The file is damaged or of another kind, or does not fit: a tensor is missing, unknown to the model, of another shape or type, or holds a value
    /// that is not finite. The message lists them.</exception>
    /// <exception cref="ArgumentException">The model is quantized, or has nothing of a name in <paramref name="leaveOut"/>.</exception>
    public static PretrainedWeightsReport Load(nn.Module model, string path, IReadOnlyCollection<string>? leaveOut = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(path);
        var walk = ModuleTree.Walk(model);
        if (walk.FirstOrDefault(m => m.Module is IQuantizedModule) is { Module: not null } quantized)
            throw new ArgumentException($"{quantized.Path} is a {quantized.Module.GetType().Name}, which holds no float weights. Load weights into the float model and quantize it then.", nameof(model));
        var state = ModelState.Of(walk);
        CheckNames(leaveOut ?? [], [.. walk.Select(m => m.Path), .. state.Tensors.Keys, .. state.Tied.Keys]);

        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var file = WeightsFile.Open(path);
        var plan = new Plan(state, file.Tensors, leaveOut ?? []);
        if (plan.Problems.Count > 0)
            throw new QuantizedFileException($"{path} does not fit {model.GetType().Name}, which is unchanged:{Describe(plan.Problems)}");
        foreach (var (target, source) in plan.Copies) target.copy_(source);
        return new PretrainedWeightsReport(path, plan.Loaded, plan.LeftOut, plan.Kept, plan.Ignored);
    }

    private static void CheckNames(IReadOnlyCollection<string> leaveOut, HashSet<string> names)
    {
        foreach (var name in leaveOut)
            if (string.IsNullOrEmpty(name) || !names.Contains(name))
                throw new ArgumentException($"'{name}' is to be left out, and the model has no module or tensor of that name. Its modules: {string.Join(", ", names.Where(n => n.Length > 0 && !n.Contains('.', StringComparison.Ordinal)))}.", nameof(leaveOut));
    }

    private static string Describe(List<(string Finding, string Mend)> problems)
    {
        var more = problems.Count > MostProblems ? $"\n  and {problems.Count - MostProblems} more" : "";
        var findings = string.Concat(problems.Take(MostProblems).Select(p => $"\n  {p.Finding}"));
        return $"{findings}{more}{string.Concat(problems.Select(p => p.Mend).Distinct().Select(mend => $"\n{mend}"))}";
    }

    private static string Describe(Tensor tensor) => $"{tensor.dtype} [{string.Join(", ", tensor.shape)}]";

    /// <summary>What is to be copied where, and everything that stands against it; nothing is changed.</summary>
    private sealed class Plan
    {
        private const string
            MissingMend = "What is missing: take the file of the same architecture (frozen TorchScript has no weights under their names), and load it before fuse_model, prepare and convert rename modules.",
            ExtraMend = "What is not expected: make the model that the file was written from, or take the tensors out of the file.",
            ShapeMend = "Other shapes: make the model with the sizes of the file, or leave the module out (the classifier, for other classes: `LoadWeights(path, head: false)`, or `leaveOut`).",
            TypeMend = "Other types: convert the tensors and write the file again.",
            FiniteMend = "Values that are not finite: get the file again, or train again with a lower learning rate.";

        private readonly IReadOnlyCollection<string> _leaveOut;

        public Plan(ModelState state, IReadOnlyDictionary<string, Tensor> file, IReadOnlyCollection<string> leaveOut)
        {
            _leaveOut = leaveOut;
            foreach (var (name, target) in state.Tensors)
            {
                string[] names = [name, .. state.Tied.Where(t => t.Value == name).Select(t => t.Key)];
                if (names.Any(IsLeftOut)) LeftOut.Add(name);
                else if (names.FirstOrDefault(file.ContainsKey) is { } source) Add(source, file, target, names);
                else if (name == Counter || name.EndsWith("." + Counter, StringComparison.Ordinal)) Kept.Add(name);
                else
                    Problems.Add(($"{name}: found nothing, expected {Describe(target)}.", MissingMend));
            }

            foreach (var (name, tensor) in file.Where(t => !state.Tensors.ContainsKey(t.Key) && !state.Tied.ContainsKey(t.Key) && !IsLeftOut(t.Key)))
                if (name.Split('.').Any(s_quantizableParts.Contains)) Ignored.Add(name);
                else Problems.Add(($"{name}: found {Describe(tensor)}, expected nothing of that name.", ExtraMend));
        }

        public List<(Tensor Target, Tensor Source)> Copies { get; } = [];

        public List<string> Loaded { get; } = [];

        public List<string> LeftOut { get; } = [];

        public List<string> Kept { get; } = [];

        public List<string> Ignored { get; } = [];

        public List<(string Finding, string Mend)> Problems { get; } = [];

        private bool IsLeftOut(string name) => _leaveOut.Any(n => name == n || name.StartsWith(n + ".", StringComparison.Ordinal));

        private void Add(string name, IReadOnlyDictionary<string, Tensor> file, Tensor target, string[] names)
        {
            var source = file[name];
            if (Fault(source, target, out var converted) is var (finding, mend))
                Problems.Add(($"{name}: {finding}", mend));
            else if (names.FirstOrDefault(n => n != name && file.TryGetValue(n, out var other) && !other.Equals(source)) is { } different)
                Problems.Add(($"{name}: found other values than in {different}, expected the same: the model shares one tensor between them.", "Write the file with one of the two names only."));
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
    }
}
