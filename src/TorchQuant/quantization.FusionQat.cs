using TorchQuant.Fusion;
using static TorchSharp.torch;

namespace TorchQuant;

public static partial class quantization
{
    /// <summary>
    /// Fuses sequences of modules into one each, for quantization-aware training: a copy of the model (or, with <paramref name="inplace"/>, the model itself) in which the first module of
    /// each list is the fused one and the others are Identity. Unlike <see cref="fuse_modules{T}(T, IReadOnlyList{IReadOnlyList{string}}, bool)"/> it folds nothing: batch norms go on training,
    /// all parameters stay the same objects in place, and the outputs stay the same.
    /// </summary>
    /// <remarks>
    /// <para>What can be fused, for 1, 2 and 3 dimensions: Conv + BatchNorm, Conv + BatchNorm + ReLU, Conv + ReLU; Linear + BatchNorm1d (on inputs [batch, features]), Linear + ReLU;
    /// BatchNorm2d + ReLU, BatchNorm3d + ReLU; and beyond PyTorch: ReLU6 in the place of a ReLU after Conv, Conv + BatchNorm and Linear, Hardswish after Conv.</para>
    /// <para>state_dict has the names of a Sequential: <c>bn.weight</c> is <c>conv.1.weight</c>. So load float checkpoints before.</para>
    /// <para>Hooks that ran before the first module run before the fused one, those after the last after it. A qconfig set on the first is set on the fused module.</para>
    /// </remarks>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model, in training mode.</param>
    /// <param name="modules_to_fuse">Lists of dotted names in the order of the calls: <c>[["conv", "bn", "relu"], ["block.fc", "block.relu"]]</c>.</param>
    /// <param name="inplace">Whether to change and return the model itself, so that an optimizer made before keeps its parameters.</param>
    /// <returns>The model with fused modules.</returns>
    /// <exception cref="ModuleFusionException">Names that do not exist, sequences that cannot be fused, modules in eval mode or a batch norm of other size, fields that cannot hold the fused module ...:
    /// all problems are listed with their mends, and the model is unchanged.</exception>
    /// <exception cref="ModuleCopyException">The model cannot be copied; fuse it with <paramref name="inplace"/>.</exception>
    public static T fuse_modules_qat<T>(T model, IReadOnlyList<IReadOnlyList<string>> modules_to_fuse, bool inplace = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(modules_to_fuse);
        return ModuleFusion.Run(model, modules_to_fuse, FusionPatterns.Training, inplace);
    }

    /// <summary>Fuses one sequence of modules: see <see cref="fuse_modules_qat{T}(T, IReadOnlyList{IReadOnlyList{string}}, bool)"/>.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model, in training mode.</param>
    /// <param name="modules_to_fuse">Dotted names in the order of the calls: <c>["conv", "bn", "relu"]</c>.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <returns>The model with the fused module.</returns>
    /// <exception cref="ModuleFusionException">All problems of the call, with their mends; the model is unchanged.</exception>
    /// <exception cref="ModuleCopyException">The model cannot be copied; fuse it with <paramref name="inplace"/>.</exception>
    public static T fuse_modules_qat<T>(T model, IReadOnlyList<string> modules_to_fuse, bool inplace = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(modules_to_fuse);
        return fuse_modules_qat(model, [modules_to_fuse], inplace);
    }

    /// <summary>
    /// Finds what can be fused for quantization-aware training and fuses it, as <see cref="fuse_modules{T}(T, Tensor, out FusionReport, bool)"/> does for trained models: the model is watched while it runs on an example, in eval
    /// mode, on a copy where there can be one. What is fused is then to be read in <paramref name="fused"/>.
    /// </summary>
    /// <typeparam name="T">The model's type, a module that takes one tensor.</typeparam>
    /// <param name="model">The float model on the CPU, in training mode.</param>
    /// <param name="example_input">An input of the model; it is not changed.</param>
    /// <param name="fused">What was fused, and which sequences were found and not fused, with the reason; its ToString is a table.</param>
    /// <param name="inplace">Whether to change and return the model itself, so that an optimizer made before keeps its parameters.</param>
    /// <returns>The model with fused modules.</returns>
    /// <exception cref="ModuleFusionException">All problems of the call, with their mends; the model is unchanged.</exception>
    /// <exception cref="ModuleCopyException">The model cannot be copied; fuse it with <paramref name="inplace"/>.</exception>
    /// <exception cref="ArgumentException">The model does not take one tensor; its outputs have no elements.</exception>
    public static T fuse_modules_qat<T>(T model, Tensor example_input, out FusionReport fused, bool inplace = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(example_input);
        var call = SingleTensorCall.Of(model);
        return fuse_modules_qat(model, m =>
        {
            using var input = example_input.clone(); // forward may write into it
            return call(m, input);
        }, out fused, inplace);
    }

    /// <summary>Finds what can be fused for training and fuses it: see <see cref="fuse_modules_qat{T}(T, Tensor, out FusionReport, bool)"/>.</summary>
    /// <typeparam name="T">The model's type, a module that takes one tensor.</typeparam>
    /// <param name="model">The float model on the CPU, in training mode.</param>
    /// <param name="example_input">An input of the model; it is not changed.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <returns>The model with fused modules.</returns>
    /// <exception cref="ModuleFusionException">All problems of the call, with their mends; the model is unchanged.</exception>
    /// <exception cref="ModuleCopyException">The model cannot be copied; fuse it with <paramref name="inplace"/>.</exception>
    /// <exception cref="ArgumentException">The model does not take one tensor; its outputs have no elements.</exception>
    public static T fuse_modules_qat<T>(T model, Tensor example_input, bool inplace = false) where T : nn.Module => fuse_modules_qat(model, example_input, out _, inplace);

    /// <summary>Finds what can be fused for training and fuses it, for a model of any signature: see <see cref="fuse_modules_qat{T}(T, Tensor, out FusionReport, bool)"/>.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model on the CPU, in training mode.</param>
    /// <param name="run">Calls the model that it is given (a copy) on an example, each time the same, and returns all that the model returned; the tensors returned that the call made are disposed.</param>
    /// <param name="fused">What was fused, and which sequences were found and not fused, with the reason.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <returns>The model with fused modules.</returns>
    /// <exception cref="ModuleFusionException">All problems of the call, with their mends; the model is unchanged.</exception>
    /// <exception cref="ModuleCopyException">The model cannot be copied; fuse it with <paramref name="inplace"/>.</exception>
    /// <exception cref="ArgumentException">What was returned holds no tensor with elements, or an object in which tensors cannot be found.</exception>
    public static T fuse_modules_qat<T>(T model, Func<T, object?> run, out FusionReport fused, bool inplace = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(run);
        fused = FusionSearch.Run(model, run, FusionPatterns.Training, inplace);
        return ModuleFusion.Run(model, [.. fused.Fused.Select(f => f.Names)], FusionPatterns.Training, inplace);
    }

    /// <summary>Finds what can be fused for training and fuses it: see <see cref="fuse_modules_qat{T}(T, Func{T, object}, out FusionReport, bool)"/>.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model on the CPU, in training mode.</param>
    /// <param name="run">Calls the model that it is given (a copy) on an example and returns all that the model returned.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <returns>The model with fused modules.</returns>
    /// <exception cref="ModuleFusionException">All problems of the call, with their mends; the model is unchanged.</exception>
    /// <exception cref="ModuleCopyException">The model cannot be copied; fuse it with <paramref name="inplace"/>.</exception>
    /// <exception cref="ArgumentException">What was returned holds no tensor with elements, or an object in which tensors cannot be found.</exception>
    public static T fuse_modules_qat<T>(T model, Func<T, object?> run, bool inplace = false) where T : nn.Module => fuse_modules_qat(model, run, out _, inplace);
}
