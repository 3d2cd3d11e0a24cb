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
        return ModuleFusion.Run(model, modules_to_fuse, inplace);
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
}
