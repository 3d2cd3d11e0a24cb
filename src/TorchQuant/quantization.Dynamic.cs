using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace TorchQuant;

public static partial class quantization
{
    /// <summary>Dynamic quantization: a copy of the model (or, with <paramref name="inplace"/>, the model itself) in eval mode whose modules have int8 weights (or float16,
    /// or 8- or 4-bit embeddings), with activations that are quantized as they come. No calibration, no training.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model. Its own modules are replaced, it itself is not: a lone Linear must be held in a module.</param>
    /// <param name="qconfig_spec">Which modules, and how: null for all that <paramref name="dtype"/> knows; a set of types and full dotted names, quantized as
    /// <paramref name="dtype"/> says; or a dictionary from type or name to a <see cref="QConfig"/> (null leaves float), which makes <paramref name="dtype"/> and
    /// <paramref name="backend"/> meaningless. See <see cref="QConfigSpec"/>.</param>
    /// <param name="dtype">qint8 (default) and float16: Linear, LSTM, GRU, LSTMCell, RNNCell, GRUCell. quint8: EmbeddingBag, Embedding. quint4x2: EmbeddingBag.</param>
    /// <param name="mapping">Which type is replaced by what; <see cref="ModuleMapping.Dynamic"/> if null.</param>
    /// <param name="inplace">Whether to replace modules in the model itself and return it; the float modules that are replaced are not disposed. Otherwise the model is copied and stays as it is.</param>
    /// <param name="backend">Whose numbers qint8 has: <c>native</c> (ours, the most accurate), or PyTorch's <c>fbgemm</c>, <c>x86</c>, <c>onednn</c>, <c>qnnpack</c>: see
    /// <see cref="get_default_dynamic_qconfig"/>.</param>
    /// <param name="hook_fallback">Whether a module in a field that cannot hold another type (declared <c>Linear</c>) is redirected by hooks instead of refused: see
    /// <see cref="ModuleTree.Replace"/> for what that cannot do.</param>
    /// <returns>The quantized model.</returns>
    /// <exception cref="ArgumentException">An argument is refused: an unknown dtype or backend, a spec that matches nothing, a lone module.</exception>
    /// <exception cref="ModuleReplacementException">Modules cannot be quantized or replaced; all of them are listed with what to do, and the model is unchanged.</exception>
    public static T quantize_dynamic<T>(
        T model, QConfigSpec? qconfig_spec = null, qdtype dtype = default, ModuleMapping? mapping = null, bool inplace = false, string backend = "native",
        bool hook_fallback = false) where T : nn.Module
    {
        var work = new DynamicQuantization(model, qconfig_spec, dtype, mapping, backend);
        if (!inplace)
            return work.ApplyToOwn(ModuleTree.Copy(model), model, hook_fallback);
        work.Apply(model, hook_fallback);
        return model;
    }

    /// <summary>Dynamic quantization where the model cannot be copied: a new model from <paramref name="factory"/> takes over the parameters and buffers of
    /// <paramref name="model"/>, which stays as it is, and is quantized.</summary>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">The float model.</param>
    /// <param name="factory">Makes a model of the same modules: <c>() => new Net(vocabulary)</c>.</param>
    /// <param name="qconfig_spec">Which modules, and how.</param>
    /// <param name="dtype">The type to quantize to.</param>
    /// <param name="mapping">Which type is replaced by what.</param>
    /// <param name="backend">Whose numbers qint8 has.</param>
    /// <param name="hook_fallback">Whether to redirect by hooks where a field cannot hold the replacement.</param>
    /// <returns>The quantized model, in eval mode.</returns>
    /// <exception cref="ArgumentException">An argument is refused, or the factory's model has other modules, parameters or buffers than the model.</exception>
    /// <exception cref="ModuleReplacementException">Modules cannot be quantized or replaced; all of them are listed with what to do.</exception>
    [OverloadResolutionPriority(-1)]
    public static T quantize_dynamic<T>(
        T model, Func<T> factory, QConfigSpec? qconfig_spec = null, qdtype dtype = default, ModuleMapping? mapping = null, string backend = "native",
        bool hook_fallback = false) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(factory);
        var work = new DynamicQuantization(model, qconfig_spec, dtype, mapping, backend);
        return work.ApplyToOwn(FactoryCopy.Make(model, factory), model, hook_fallback);
    }
}
