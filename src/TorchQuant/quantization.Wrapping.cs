using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

public static partial class quantization
{
    /// <summary>Static quantization in one call: eval mode, prepare, <paramref name="run_fn"/>, convert.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model; qconfigs are set on it.</param>
    /// <param name="run_fn">Runs the prepared model on data; PyTorch's <c>run_args</c> are what it captures.</param>
    /// <param name="mapping">What becomes of which module; <see cref="StaticModuleMapping.Default"/> if null.</param>
    /// <param name="inplace">Whether to change and return the model itself. Where <paramref name="run_fn"/> or convert fails, it stays prepared.</param>
    /// <param name="custom_mapping">What is quantized in a way of its own; <see cref="CustomModuleMapping.Default"/> if null.</param>
    /// <returns>The int8 model, in eval mode.</returns>
    /// <inheritdoc cref="convert" path="/exception"/>
    public static T quantize<T>(T model, Action<T> run_fn, StaticModuleMapping? mapping = null, bool inplace = false, CustomModuleMapping? custom_mapping = null) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(run_fn);
        var target = inplace ? model : ModuleTree.Copy(model);
        try
        {
            target.eval();
            prepare(target, inplace: true, mapping, custom_mapping);
            run_fn(target);
            return convert(target, mapping, inplace: true, custom_mapping: custom_mapping);
        }
        catch
        {
            if (!inplace)
                target.Dispose();
            throw;
        }
    }

    /// <summary>Puts a <see cref="QuantWrapper"/> round every module in the model that has a qconfig and can become int8 alone: quantize, compute, dequantize. For models without stubs; each wrapped module
    /// quantizes its input anew, so stubs where the int8 part begins and ends are faster.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="module">The float model; it is changed itself, as in PyTorch, and returned. Its qconfigs are set on modules (<c>model.qconfig = ...</c>).</param>
    /// <param name="mapping">What convert can replace; <see cref="StaticModuleMapping.Default"/> if null.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ArgumentException">No module has a qconfig, or the model is itself such a module: wrap it by <c>new QuantWrapper(model)</c>.</exception>
    /// <exception cref="ModuleReplacementException">Fields cannot hold a wrapper; all are listed with their mends, and the model is unchanged.</exception>
    public static T add_quant_dequant<T>(T module, StaticModuleMapping? mapping = null) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(module);
        var plan = new QConfigPropagation(module, new Dictionary<QConfigSpec.Target, QConfig?>(), (mapping ?? StaticModuleMapping.Default).Types, "qconfig").Plan(isDefault: true);
        var wrapped = ModuleTree.Walk(module).Where(m => m.Module is QuantWrapper).Select(m => ((QuantWrapper)m.Module).module).ToHashSet<nn.Module>(ReferenceEqualityComparer.Instance);
        ModuleTree.Replace(module, (path, leaf) => !wrapped.Contains(leaf) && plan.TryGetValue(path, out var qconfig) && leaf is nn.Module<Tensor, Tensor> and not (IObserved or Embedding)
            ? new QuantWrapper((nn.Module<Tensor, Tensor>)leaf) { qconfig = qconfig }
            : null);
        return module;
    }

    /// <summary>Sets the qconfig of every module in the model: its own, else the entry of its name, else that of a pattern, else that of its exact type, else what the module around it has.
    /// <c>prepare</c> does so by itself.</summary>
    /// <param name="module">The float model; it is changed.</param>
    /// <param name="qconfig_dict">Types, names and patterns of names with their qconfig; null where qconfigs are set on modules.</param>
    /// <exception cref="ArgumentException">An entry matches nothing, or nothing that can be quantized; the model is unchanged.</exception>
    public static void propagate_qconfig_(nn.Module module, QConfigSpec? qconfig_dict = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        Type[] types = [.. StaticModuleMapping.Default.Types, .. CustomModuleMapping.Default.FloatTypes, .. CustomModuleMapping.Default.ObservedTypes];
        var propagation = new QConfigPropagation(module, (qconfig_dict ?? []).Resolve(() => get_default_qconfig()), types, nameof(qconfig_dict));
        propagation.RequireUsedEntries();
        foreach (var (path, part) in ModuleTree.Walk(module))
            if (propagation.Decisions[path] is { } qconfig)
                part.qconfig = qconfig;
    }

    /// <summary>The int8 module for one observed module of a prepared and calibrated model: what <see cref="convert"/> puts in its place.</summary>
    /// <param name="mod">A module; it is not changed.</param>
    /// <param name="mapping">What becomes of which module; <see cref="StaticModuleMapping.Default"/> if null.</param>
    /// <param name="custom_mapping">What becomes of custom modules; <see cref="CustomModuleMapping.Default"/> if null.</param>
    /// <returns>A new module; <paramref name="mod"/> itself if it is not observed.</returns>
    /// <exception cref="ArgumentException">The mapping has no row for it.</exception>
    /// <exception cref="InvalidOperationException">It has seen nothing, or was called more than once in one forward pass.</exception>
    public static nn.Module swap_module(nn.Module mod, StaticModuleMapping? mapping = null, CustomModuleMapping? custom_mapping = null)
    {
        ArgumentNullException.ThrowIfNull(mod);
        using var noGrad = no_grad();
        var options = new ConversionOptions(mapping ?? StaticModuleMapping.Default, custom_mapping ?? CustomModuleMapping.Default, IsReference: false, AllowReuse: false, AllowUnfused: false);
        return new ModuleConversion(options, static _ => false).Convert("", mod) ?? mod;
    }
}
