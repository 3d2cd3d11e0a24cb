using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace TorchQuant;

public static partial class quantization
{
    /// <summary>Static quantization, first step: a copy of the float model (or, with <paramref name="inplace"/>, the model itself) in which observers watch what flows out of every module that
    /// has a qconfig. Run the result on data that is like what the model will see, then call <see cref="convert"/>.</summary>
    /// <remarks>
    /// <para>The qconfig of a module is its own (<c>model.qconfig = ...</c> sets that of all in it), else that of the module around it. The prepared model carries what was decided: <c>prepared.conv.qconfig</c>.
    /// Parameters keep their names in <c>state_dict</c>. Modules of a type without a row in the mapping are not observed: libtorch's own run on int8 tensors (ReLU, Flatten; pooling too, which convert
    /// replaces), so PyTorch's <c>allow_list</c> and <c>observer_non_leaf_module_list</c> are rows of the mapping here.</para>
    /// <para>Batch norms and dropouts must be in eval mode (PyTorch lets them train while it calibrates).</para>
    /// <para>Hooks on the model count its calls and keep its first input for <see cref="convert"/>; they see <c>call</c>, not <c>forward</c>.</para>
    /// </remarks>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model, in eval mode, with QuantStub and DeQuantStub where its int8 part begins and ends; fuse it before.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <param name="mapping">What convert will replace; <see cref="StaticModuleMapping.Default"/> if null. Give convert the same one.</param>
    /// <param name="custom_mapping">What is quantized in a way of its own; <see cref="CustomModuleMapping.Default"/> if null. Give convert the same one.</param>
    /// <param name="hook_fallback">Whether a module in a field that cannot hold another type (declared <c>Conv2d</c>) is watched, and later computed in int8, by hooks instead of refused: see
    /// <see cref="ModuleTree.Replace"/> for what that cannot do.</param>
    /// <returns>The prepared model.</returns>
    /// <exception cref="ArgumentException">No module has a qconfig, the model is prepared or converted already, or a batch norm or dropout is in training mode.</exception>
    /// <exception cref="ModuleReplacementException">Fields cannot hold observed modules, or qconfigs are none for static quantization; all are listed with their mends, and the model is unchanged.</exception>
    /// <exception cref="ModuleCopyException">The model cannot be copied; prepare it with <paramref name="inplace"/> or a factory.</exception>
    public static T prepare<T>(
        T model, bool inplace = false, StaticModuleMapping? mapping = null, CustomModuleMapping? custom_mapping = null, bool hook_fallback = false) where T : nn.Module =>
        Prepare(model, null, inplace, mapping, custom_mapping, hook_fallback);

    /// <summary>As <see cref="prepare{T}(T, bool, StaticModuleMapping?, CustomModuleMapping?, bool)"/>, with one qconfig for the whole model.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model.</param>
    /// <param name="qconfig">For every module that has none of its own.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <param name="mapping">What convert will replace.</param>
    /// <param name="custom_mapping">What is quantized in a way of its own.</param>
    /// <param name="hook_fallback">Whether to use hooks where a field cannot hold the observed module.</param>
    /// <returns>The prepared model.</returns>
    public static T prepare<T>(
        T model, QConfig qconfig, bool inplace = false, StaticModuleMapping? mapping = null, CustomModuleMapping? custom_mapping = null, bool hook_fallback = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(qconfig);
        return Prepare(model, new QConfigSpec { [""] = qconfig }, inplace, mapping, custom_mapping, hook_fallback);
    }

    /// <summary>As <see cref="prepare{T}(T, bool, StaticModuleMapping?, CustomModuleMapping?, bool)"/>, with qconfigs by type and by dotted name.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model.</param>
    /// <param name="qconfig_dict">Types, names and patterns of names with their qconfig, null for float; the empty name is the whole model. An entry without one has <see cref="get_default_qconfig"/>.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <param name="mapping">What convert will replace.</param>
    /// <param name="custom_mapping">What is quantized in a way of its own.</param>
    /// <param name="hook_fallback">Whether to use hooks where a field cannot hold the observed module.</param>
    /// <returns>The prepared model.</returns>
    public static T prepare<T>(
        T model, QConfigSpec qconfig_dict, bool inplace = false, StaticModuleMapping? mapping = null, CustomModuleMapping? custom_mapping = null, bool hook_fallback = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(qconfig_dict);
        return Prepare(model, qconfig_dict, inplace, mapping, custom_mapping, hook_fallback);
    }

    /// <summary>Prepares where the model cannot be copied: a new model from <paramref name="factory"/> takes over parameters, buffers, qconfigs and training flags of <paramref name="model"/>, which stays as it is,
    /// and is prepared. Convert the result with <c>inplace: true</c>.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model.</param>
    /// <param name="factory">Makes a model of the same modules: <c>() => new Net()</c>.</param>
    /// <param name="qconfig_dict">Types, names and patterns of names with their qconfig; null where qconfigs are set on modules.</param>
    /// <param name="mapping">What convert will replace.</param>
    /// <param name="custom_mapping">What is quantized in a way of its own.</param>
    /// <param name="hook_fallback">Whether to use hooks where a field cannot hold the observed module.</param>
    /// <returns>The prepared model.</returns>
    /// <exception cref="ArgumentException">As for a model that can be copied, or the factory's model has other modules, parameters or buffers than the model.</exception>
    /// <exception cref="ModuleReplacementException">Modules cannot be observed; all of them are listed with what to do.</exception>
    [OverloadResolutionPriority(-1)]
    public static T prepare<T>(
        T model, Func<T> factory, QConfigSpec? qconfig_dict = null, StaticModuleMapping? mapping = null, CustomModuleMapping? custom_mapping = null, bool hook_fallback = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(factory);
        return PrepareOwn(FactoryCopy.Make(model, factory), model, qconfig_dict, mapping, custom_mapping, hook_fallback);
    }

    private static T Prepare<T>(T model, QConfigSpec? qconfigs, bool inplace, StaticModuleMapping? mapping, CustomModuleMapping? custom, bool hookFallback) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!inplace)
            return PrepareOwn(ModuleTree.Copy(model), model, qconfigs, mapping, custom, hookFallback);
        Preparation(model, qconfigs, mapping, custom).Apply(hookFallback);
        return model;
    }

    private static T PrepareOwn<T>(T copy, nn.Module original, QConfigSpec? qconfigs, StaticModuleMapping? mapping, CustomModuleMapping? custom, bool hookFallback) where T : nn.Module
    {
        try
        {
            ReplacedModules.Dispose(Preparation(copy, qconfigs, mapping, custom).Apply(hookFallback), copy, original);
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    private static StaticPreparation Preparation(nn.Module model, QConfigSpec? qconfigs, StaticModuleMapping? mapping, CustomModuleMapping? custom) =>
        new(model, qconfigs, mapping ?? StaticModuleMapping.Default, custom ?? CustomModuleMapping.Default);
}
