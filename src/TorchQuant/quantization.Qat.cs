using System.Runtime.CompilerServices;
using TorchQuant.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

public static partial class quantization
{
    /// <summary>Quantization-aware training, first step: a copy of the float model (or, with <paramref name="inplace"/>, the model itself) that trains with the errors of quantization in it. Weights and outputs of all modules
    /// that have a qconfig are moved to the numbers that int8 codes stand for; gradients pass straight through. Train the result, then call <see cref="convert"/>.</summary>
    /// <remarks>
    /// <para>All parameters stay the same objects in place, and keep their names in <c>state_dict</c> and <c>named_parameters</c>: an optimizer made before goes on, and a checkpoint of the float model loads
    /// (<c>load_state_dict(state, strict: false)</c>). A checkpoint of the prepared model holds ranges, scales and switches too.</para>
    /// <para>Late in training let the model settle: <c>model.apply(quantization.disable_observer)</c> keeps the scales, <c>model.apply(quantization.freeze_bn_stats)</c> the statistics of batch norms.</para>
    /// <para>qconfigs are found as <see cref="prepare{T}(T, bool, StaticModuleMapping?, CustomModuleMapping?, bool)"/> finds them. Modules with a known range (Sigmoid, Tanh ...) get <see cref="FixedQParamsFakeQuantize"/>.
    /// Modules of a type without a row in the mappings are not changed: pooling (which convert replaces), Flatten, Dropout.</para>
    /// <para>In eval mode the prepared model computes with the integers of the converted one, and gives its codes. In training mode its sums are float, so a code next to the middle between two can differ by one. Modules of
    /// average pooling round to the scale of their input, as int8 does. Functions cannot be seen: <c>functional.avg_pool2d</c> and <c>x.mean</c> in a forward are not rounded in training and are in int8, so write
    /// <c>nn.AvgPool2d</c> and <c>nn.AdaptiveAvgPool2d</c>.</para>
    /// <para>What lies outside the range of codes of a fake quantizer (0..127 for fbgemm and x86, 0..15 for simulated 4 bits) saturates at its ends, in training and in the converted model. PyTorch's converted models go on to
    /// 255, which is not what was trained.</para>
    /// </remarks>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model, in training mode, with QuantStub and DeQuantStub where its int8 part begins and ends; fuse it before by <see cref="fuse_modules_qat{T}(T, IReadOnlyList{IReadOnlyList{string}}, bool)"/>.</param>
    /// <param name="mapping">What takes the place of modules with weights; <see cref="QatModuleMapping.Default"/> if null.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <param name="static_mapping">What convert will replace, so whose outputs are moved; <see cref="StaticModuleMapping.Default"/> if null. Give convert the same one.</param>
    /// <param name="custom_mapping">What is quantized in a way of its own; <see cref="CustomModuleMapping.Default"/> if null. Give convert the same one.</param>
    /// <param name="hook_fallback">Whether a module in a field that cannot hold another type is trained by hooks instead of refused: see <see cref="ModuleTree.Replace"/> for what that cannot do.</param>
    /// <returns>The prepared model, in training mode.</returns>
    /// <exception cref="ArgumentException">The model is in eval mode, no module has a qconfig, or the model is prepared or converted already.</exception>
    /// <exception cref="ModuleReplacementException">Fields cannot hold the modules, or qconfigs are none for quantization-aware training; all are listed with their mends, and the model is unchanged.</exception>
    /// <exception cref="ModuleCopyException">The model cannot be copied; prepare it with <paramref name="inplace"/>.</exception>
    public static T prepare_qat<T>(
        T model, QatModuleMapping? mapping = null, bool inplace = false, StaticModuleMapping? static_mapping = null, CustomModuleMapping? custom_mapping = null, bool hook_fallback = false) where T : nn.Module =>
        PrepareQat(model, null, mapping, inplace, static_mapping, custom_mapping, hook_fallback);

    /// <summary>As <see cref="prepare_qat{T}(T, QatModuleMapping?, bool, StaticModuleMapping?, CustomModuleMapping?, bool)"/>, with one qconfig for the whole model.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model, in training mode.</param>
    /// <param name="qconfig">For every module that has none of its own: <see cref="get_default_qat_qconfig"/>.</param>
    /// <param name="mapping">What takes the place of modules with weights.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <param name="static_mapping">What convert will replace.</param>
    /// <param name="custom_mapping">What is quantized in a way of its own.</param>
    /// <param name="hook_fallback">Whether to use hooks where a field cannot hold the module.</param>
    /// <returns>The prepared model.</returns>
    public static T prepare_qat<T>(
        T model, QConfig qconfig, QatModuleMapping? mapping = null, bool inplace = false, StaticModuleMapping? static_mapping = null, CustomModuleMapping? custom_mapping = null, bool hook_fallback = false)
        where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(qconfig);
        return PrepareQat(model, new QConfigSpec { [""] = qconfig }, mapping, inplace, static_mapping, custom_mapping, hook_fallback);
    }

    /// <summary>As <see cref="prepare_qat{T}(T, QatModuleMapping?, bool, StaticModuleMapping?, CustomModuleMapping?, bool)"/>, with qconfigs by type and by dotted name.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model, in training mode.</param>
    /// <param name="qconfig_dict">Types, names and patterns of names with their qconfig, null for float; the empty name is the whole model. An entry without one has <see cref="get_default_qat_qconfig"/>.</param>
    /// <param name="mapping">What takes the place of modules with weights.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <param name="static_mapping">What convert will replace.</param>
    /// <param name="custom_mapping">What is quantized in a way of its own.</param>
    /// <param name="hook_fallback">Whether to use hooks where a field cannot hold the module.</param>
    /// <returns>The prepared model.</returns>
    public static T prepare_qat<T>(
        T model, QConfigSpec qconfig_dict, QatModuleMapping? mapping = null, bool inplace = false, StaticModuleMapping? static_mapping = null, CustomModuleMapping? custom_mapping = null, bool hook_fallback = false)
        where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(qconfig_dict);
        return PrepareQat(model, qconfig_dict, mapping, inplace, static_mapping, custom_mapping, hook_fallback);
    }

    /// <summary>Prepares where the model cannot be copied: a new model from <paramref name="factory"/> takes over parameters, buffers, qconfigs and training flags of <paramref name="model"/>, which stays as it is,
    /// and is prepared. Give an optimizer the parameters of the result, and convert it with <c>inplace: true</c>.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model, in training mode.</param>
    /// <param name="factory">Makes a model of the same modules, fused like it: <c>() => new Net()</c>.</param>
    /// <param name="qconfig_dict">Types, names and patterns of names with their qconfig; null where qconfigs are set on modules.</param>
    /// <param name="mapping">What takes the place of modules with weights.</param>
    /// <param name="static_mapping">What convert will replace.</param>
    /// <param name="custom_mapping">What is quantized in a way of its own.</param>
    /// <param name="hook_fallback">Whether to use hooks where a field cannot hold the module.</param>
    /// <returns>The prepared model.</returns>
    /// <exception cref="ArgumentException">As for a model that can be copied, or the factory's model has other modules, parameters or buffers than the model.</exception>
    /// <exception cref="ModuleReplacementException">Modules cannot be prepared; all of them are listed with what to do.</exception>
    [OverloadResolutionPriority(-1)]
    public static T prepare_qat<T>(
        T model, Func<T> factory, QConfigSpec? qconfig_dict = null, QatModuleMapping? mapping = null, StaticModuleMapping? static_mapping = null, CustomModuleMapping? custom_mapping = null,
        bool hook_fallback = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(factory);
        return PrepareQatOwn(FactoryCopy.Make(model, factory), model, qconfig_dict, mapping, static_mapping, custom_mapping, hook_fallback);
    }

    /// <summary>Quantization-aware training in one call: prepares a copy of the model (or, with <paramref name="inplace"/>, the model itself), trains it and converts it.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model, in any mode, with a qconfig set, fused where it has batch norms.</param>
    /// <param name="run_fn">Trains the prepared model that it is given, which is in training mode.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <returns>The int8 model, in eval mode.</returns>
    /// <exception cref="ArgumentException">As prepare_qat and convert.</exception>
    /// <exception cref="ModuleReplacementException">Modules cannot be prepared or converted; all of them are listed with what to do.</exception>
    public static T quantize_qat<T>(T model, Action<T> run_fn, bool inplace = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(run_fn);
        var trained = inplace ? model : ModuleTree.Copy(model);
        var flags = ModuleTree.Walk(trained).Select(m => (m.Module, m.Module.training)).ToList();
        try
        {
            trained.train();
            try
            {
                prepare_qat(trained, inplace: true);
            }
            catch
            {
                foreach (var (module, training) in flags) // parents first: train sets the flags of all that is in a module
                    module.train(training);
                throw;
            }

            run_fn(trained);
            return convert(trained, inplace: true);
        }
        catch
        {
            if (!inplace)
                trained.Dispose();
            throw;
        }
    }

    /// <summary>Keeps the statistics of batch norms as they are, and normalizes with them: <c>model.apply(quantization.freeze_bn_stats)</c>. Only those that are fused for training; other modules are left alone.</summary>
    /// <param name="mod">Any module.</param>
    public static void freeze_bn_stats(nn.Module mod) => (mod as QatNormModule)?.freeze_bn_stats();

    /// <summary>Lets batch norms follow the batches again: <c>model.apply(quantization.update_bn_stats)</c>. Only those that are fused for training; other modules are left alone.</summary>
    /// <param name="mod">Any module.</param>
    public static void update_bn_stats(nn.Module mod) => (mod as QatNormModule)?.update_bn_stats();

    private static T PrepareQat<T>(T model, QConfigSpec? qconfigs, QatModuleMapping? mapping, bool inplace, StaticModuleMapping? staticMapping, CustomModuleMapping? custom, bool hookFallback) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!inplace)
            return PrepareQatOwn(ModuleTree.Copy(model), model, qconfigs, mapping, staticMapping, custom, hookFallback);
        QatPreparation(model, qconfigs, mapping, staticMapping, custom).Apply(hookFallback);
        return model;
    }

    private static T PrepareQatOwn<T>(T copy, nn.Module original, QConfigSpec? qconfigs, QatModuleMapping? mapping, StaticModuleMapping? staticMapping, CustomModuleMapping? custom, bool hookFallback) where T : nn.Module
    {
        try
        {
            ReplacedModules.Dispose(QatPreparation(copy, qconfigs, mapping, staticMapping, custom).Apply(hookFallback), copy, original);
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    private static StaticPreparation QatPreparation(nn.Module model, QConfigSpec? qconfigs, QatModuleMapping? mapping, StaticModuleMapping? staticMapping, CustomModuleMapping? custom) =>
        new(model, qconfigs, staticMapping ?? StaticModuleMapping.Default, custom ?? CustomModuleMapping.Default, mapping ?? QatModuleMapping.Default);
}
