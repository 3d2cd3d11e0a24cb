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
}
