using TorchQuant.Fusion;
using static TorchSharp.torch;

namespace TorchQuant;

public static partial class quantization
{
    /// <summary>
    /// Fuses sequences of modules into one each, for quantization: a copy of the model (or, with <paramref name="inplace"/>, the model itself) in which the first module of
    /// each list is the fused one and the others are Identity. A batch norm is folded into the weights before it: W' = W gamma / sqrt(var + eps),
    /// b' = (b - mean) gamma / sqrt(var + eps) + beta. The outputs stay the same but for rounding.
    /// </summary>
    /// <remarks>
    /// <para>What can be fused, for 1, 2 and 3 dimensions: Conv + BatchNorm, Conv + BatchNorm + ReLU, Conv + ReLU, ConvTranspose + BatchNorm; Linear + BatchNorm1d (on inputs
    /// [batch, features]), Linear + ReLU; BatchNorm2d + ReLU, BatchNorm3d + ReLU; and beyond PyTorch: ReLU6 or Hardswish in the place of a ReLU after Conv, ReLU6 after Linear.</para>
    /// <para>Hooks that ran before the first module run before the fused one, those after the last after it. A qconfig set on the first is set on the fused module.
    /// The lists are believed: a module that <c>forward</c> uses a second time elsewhere becomes Identity there too.</para>
    /// </remarks>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model, in eval mode where a batch norm is folded.</param>
    /// <param name="modules_to_fuse">Lists of dotted names in the order of the calls: <c>[["conv", "bn", "relu"], ["block.fc", "block.relu"]]</c>.</param>
    /// <param name="inplace">Whether to change and return the model itself; the modules that are fused away are not disposed. Otherwise a copy is returned and the model stays as it is.</param>
    /// <returns>The model with fused modules.</returns>
    /// <exception cref="ModuleFusionException">Names that do not exist, sequences that cannot be fused, a batch norm in training mode or of other size, fields that cannot hold the
    /// fused module ...: all problems are listed with their mends, and the model is unchanged.</exception>
    /// <exception cref="ModuleCopyException">The model cannot be copied; fuse it with <paramref name="inplace"/>.</exception>
    public static T fuse_modules<T>(T model, IReadOnlyList<IReadOnlyList<string>> modules_to_fuse, bool inplace = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(modules_to_fuse);
        return ModuleFusion.Run(model, modules_to_fuse, FusionPatterns.All, inplace);
    }

    /// <summary>Fuses one sequence of modules: see <see cref="fuse_modules{T}(T, IReadOnlyList{IReadOnlyList{string}}, bool)"/>.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model, in eval mode where a batch norm is folded.</param>
    /// <param name="modules_to_fuse">Dotted names in the order of the calls: <c>["conv", "bn", "relu"]</c>.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <returns>The model with the fused module.</returns>
    /// <exception cref="ModuleFusionException">All problems of the call, with their mends; the model is unchanged.</exception>
    /// <exception cref="ModuleCopyException">The model cannot be copied; fuse it with <paramref name="inplace"/>.</exception>
    public static T fuse_modules<T>(T model, IReadOnlyList<string> modules_to_fuse, bool inplace = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(modules_to_fuse);
        return fuse_modules(model, [modules_to_fuse], inplace);
    }

    /// <summary>
    /// Finds the sequences of modules that can be fused and fuses them, as <see cref="fuse_modules{T}(T, IReadOnlyList{IReadOnlyList{string}}, bool)"/> does with lists. They are found by running
    /// the model on an example: modules that are called once, each on the output of the one before, in an order that can be fused, where nothing else uses what flows between
    /// them. The longest sequence wins.
    /// </summary>
    /// <remarks>
    /// <para>A copy of the model is run, in eval mode and without gradients, at least five times (the model itself where it cannot be copied and <paramref name="inplace"/> is set; its training flags,
    /// buffers and the random state are put back). Whether something else uses a tensor is found by giving everything but the next module other values in its place:
    /// outputs that stay the same prove that nothing did. At last a fused copy must give the same outputs within rounding (not where the model cannot be copied). What is true of the example is believed of every input: where <c>forward</c> takes another way for other
    /// inputs, or in training, name the sequences in lists.</para>
    /// <para>A module in a field of a sealed type (<c>Conv2d conv</c>) is watched by hooks, which see <c>conv.call(x)</c>, not <c>conv.forward(x)</c>.</para>
    /// </remarks>
    /// <typeparam name="T">The model's type, a module that takes one tensor.</typeparam>
    /// <param name="model">The float model on the CPU, in eval mode where a batch norm is folded.</param>
    /// <param name="example_input">An input of the model; it is not changed. No example of zeros: it should be like the inputs that the model is for.</param>
    /// <param name="fused">What was fused, and which sequences were found and not fused, with the reason; its ToString is a table.</param>
    /// <param name="inplace">Whether to change and return the model itself; the modules that are fused away are not disposed. Otherwise a copy is returned and the model stays as it is.</param>
    /// <returns>The model with fused modules.</returns>
    /// <exception cref="ModuleFusionException">A batch norm in training mode, fields that cannot hold the fused module: all are listed, and the model is unchanged. Or the model cannot be watched:
    /// it gives other outputs on the same input, casts its modules to their types, is not on the CPU.</exception>
    /// <exception cref="ModuleCopyException">The model cannot be copied; fuse it with <paramref name="inplace"/>.</exception>
    /// <exception cref="ArgumentException">The model does not take one tensor; its outputs have no elements.</exception>
    public static T fuse_modules<T>(T model, Tensor example_input, out FusionReport fused, bool inplace = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(example_input);
        var call = SingleTensorCall.Of(model);
        return fuse_modules(model, m =>
        {
            using var input = example_input.clone(); // forward may write into it
            return call(m, input);
        }, out fused, inplace);
    }

    /// <summary>Finds what can be fused and fuses it: see <see cref="fuse_modules{T}(T, Tensor, out FusionReport, bool)"/>.</summary>
    /// <typeparam name="T">The model's type, a module that takes one tensor.</typeparam>
    /// <param name="model">The float model on the CPU, in eval mode where a batch norm is folded.</param>
    /// <param name="example_input">An input of the model; it is not changed.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <returns>The model with fused modules.</returns>
    /// <exception cref="ModuleFusionException">All problems of the call, with their mends; the model is unchanged.</exception>
    /// <exception cref="ModuleCopyException">The model cannot be copied; fuse it with <paramref name="inplace"/>.</exception>
    /// <exception cref="ArgumentException">The model does not take one tensor; its outputs have no elements.</exception>
    public static T fuse_modules<T>(T model, Tensor example_input, bool inplace = false) where T : nn.Module => fuse_modules(model, example_input, out _, inplace);

    /// <summary>
    /// Finds what can be fused and fuses it, for a model of any signature: see <see cref="fuse_modules{T}(T, Tensor, out FusionReport, bool)"/>.
    /// <code>fuse_modules(model, m => m.call(images, boxes), out var fused)</code>
    /// </summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model on the CPU, in eval mode where a batch norm is folded.</param>
    /// <param name="run">Calls the model that it is given (a copy) on an example, each time the same, and returns all that the model returned: a tensor, or tuples, lists, arrays or dictionaries
    /// of tensors, in each other. The tensors returned that the call made are disposed.</param>
    /// <param name="fused">What was fused, and which sequences were found and not fused, with the reason; its ToString is a table.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <returns>The model with fused modules.</returns>
    /// <exception cref="ModuleFusionException">All problems of the call, with their mends; the model is unchanged.</exception>
    /// <exception cref="ModuleCopyException">The model cannot be copied; fuse it with <paramref name="inplace"/>.</exception>
    /// <exception cref="ArgumentException">What was returned holds no tensor with elements, or an object in which tensors cannot be found.</exception>
    public static T fuse_modules<T>(T model, Func<T, object?> run, out FusionReport fused, bool inplace = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(run);
        fused = FusionSearch.Run(model, run, FusionPatterns.All, inplace);
        return ModuleFusion.Run(model, [.. fused.Fused.Select(f => f.Names)], FusionPatterns.All, inplace);
    }

    /// <summary>Finds what can be fused and fuses it: see <see cref="fuse_modules{T}(T, Func{T, object}, out FusionReport, bool)"/>.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model on the CPU, in eval mode where a batch norm is folded.</param>
    /// <param name="run">Calls the model that it is given (a copy) on an example and returns all that the model returned.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <returns>The model with fused modules.</returns>
    /// <exception cref="ModuleFusionException">All problems of the call, with their mends; the model is unchanged.</exception>
    /// <exception cref="ModuleCopyException">The model cannot be copied; fuse it with <paramref name="inplace"/>.</exception>
    /// <exception cref="ArgumentException">What was returned holds no tensor with elements, or an object in which tensors cannot be found.</exception>
    public static T fuse_modules<T>(T model, Func<T, object?> run, bool inplace = false) where T : nn.Module => fuse_modules(model, run, out _, inplace);
}
