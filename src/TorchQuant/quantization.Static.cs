using static TorchSharp.torch;

namespace TorchQuant;

public static partial class quantization
{
    /// <summary>Static quantization, first step: a copy of the float model (or, with <paramref name="inplace"/>, the model itself) in which observers watch what flows out of every module that
    /// has a qconfig. Run the result on data that is like what the model will see, then call <see cref="convert"/>.</summary>
    /// <remarks>The qconfig of a module is its own (<c>model.qconfig = ...</c> sets that of all in it), else that of the module around it. The parameters keep their names in <c>state_dict</c>.</remarks>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model, in eval mode, with QuantStub and DeQuantStub where its int8 part begins and ends; fuse it before.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <param name="mapping">What convert will replace; <see cref="StaticModuleMapping.Default"/> if null. Give convert the same one.</param>
    /// <returns>The prepared model.</returns>
    /// <exception cref="ArgumentException">No module has a qconfig, or the model is prepared or converted already.</exception>
    /// <exception cref="ModuleReplacementException">Fields cannot hold observed modules; all are listed with their mends, and the model is unchanged.</exception>
    /// <exception cref="ModuleCopyException">The model cannot be copied; prepare it with <paramref name="inplace"/>.</exception>
    public static T prepare<T>(T model, bool inplace = false, StaticModuleMapping? mapping = null) where T : nn.Module => Prepare(model, null, inplace, mapping);

    /// <summary>As <see cref="prepare{T}(T, bool, StaticModuleMapping?)"/>, with one qconfig for the whole model.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model.</param>
    /// <param name="qconfig">For every module that has none of its own.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <param name="mapping">What convert will replace.</param>
    /// <returns>The prepared model.</returns>
    public static T prepare<T>(T model, QConfig qconfig, bool inplace = false, StaticModuleMapping? mapping = null) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(qconfig);
        return Prepare(model, new QConfigSpec { [""] = qconfig }, inplace, mapping);
    }

    /// <summary>As <see cref="prepare{T}(T, bool, StaticModuleMapping?)"/>, with qconfigs by type and by dotted name.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model.</param>
    /// <param name="qconfig_dict">Types and names with their qconfig, null for float; the empty name is the whole model. An entry without one has <see cref="get_default_qconfig"/>.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <param name="mapping">What convert will replace.</param>
    /// <returns>The prepared model.</returns>
    public static T prepare<T>(T model, QConfigSpec qconfig_dict, bool inplace = false, StaticModuleMapping? mapping = null) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(qconfig_dict);
        return Prepare(model, qconfig_dict, inplace, mapping);
    }

    /// <summary>Static quantization, last step: a copy of the prepared and calibrated model (or, with <paramref name="inplace"/>, the model itself) in which int8 modules compute.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">What <see cref="prepare{T}(T, bool, StaticModuleMapping?)"/> gave, after it ran on data.</param>
    /// <param name="mapping">What becomes of which module; <see cref="StaticModuleMapping.Default"/> if null.</param>
    /// <param name="inplace">Whether to change and return the model itself.</param>
    /// <returns>The int8 model, in eval mode.</returns>
    /// <exception cref="ArgumentException">The model is not prepared.</exception>
    /// <exception cref="ModuleReplacementException">Something cannot be converted (an observer that has seen nothing ...): all of it is listed with the mends, and the model is unchanged.</exception>
    public static T convert<T>(T model, StaticModuleMapping? mapping = null, bool inplace = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        var target = inplace ? model : ModuleTree.Copy(model);
        try
        {
            var replaced = StaticConverter.Apply(target, mapping ?? StaticModuleMapping.Default);
            if (!inplace)
                ReplacedModules.Dispose(replaced, target, model);
            target.eval();
            return target;
        }
        catch
        {
            if (!inplace)
                target.Dispose();
            throw;
        }
    }

    private static T Prepare<T>(T model, QConfigSpec? qconfigs, bool inplace, StaticModuleMapping? mapping) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        var target = inplace ? model : ModuleTree.Copy(model);
        try
        {
            new StaticPreparation(target, qconfigs, mapping ?? StaticModuleMapping.Default).Apply();
            return target;
        }
        catch
        {
            if (!inplace)
                target.Dispose();
            throw;
        }
    }
}
