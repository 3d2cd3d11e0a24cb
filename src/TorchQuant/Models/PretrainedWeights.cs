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
            throw new ArgumentException($"{(quantized.Path.Length == 0 ? "The model" : quantized.Path)} is a {quantized.Module.GetType().Name}, which holds no float weights. Load weights into the float model and quantize it then.", nameof(model));
        var state = ModelState.Of(walk);
        CheckNames(leaveOut ?? [], [.. walk.Select(m => m.Path), .. state.Tensors.Keys, .. state.Tied.Keys]);

        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var file = WeightsFile.Open(path);
        var plan = new WeightsPlan(state, file.Tensors, leaveOut ?? []);
        if (plan.Problems is { Length: > 0 } problems)
            throw new QuantizedFileException($"{path} does not fit {model.GetType().Name}, which is unchanged:{problems}");
        foreach (var (target, source) in plan.Copies) target.copy_(source);
        return new PretrainedWeightsReport(path, plan.Loaded, plan.LeftOut, plan.Kept, plan.Ignored);
    }

    private static void CheckNames(IReadOnlyCollection<string> leaveOut, HashSet<string> names)
    {
        foreach (var name in leaveOut)
            if (string.IsNullOrEmpty(name) || !names.Contains(name))
                throw new ArgumentException($"'{name}' is to be left out, and the model has no module or tensor of that name. Its modules: {string.Join(", ", names.Where(n => n.Length > 0 && !n.Contains('.', StringComparison.Ordinal)))}.", nameof(leaveOut));
    }
}
