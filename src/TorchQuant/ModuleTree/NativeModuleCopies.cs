using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Modules of TorchSharp whose options exist only in native code, built anew by their public factories. What no property tells is found by running the module on
/// a small probe: <see cref="RecurrentProbe"/>, <see cref="EmbeddingProbe"/>, <see cref="AttentionProbe"/>. One row for each type.
/// </summary>
internal static class NativeModuleCopies
{
    /// <summary>A new module with the options of this one and fresh weights; null for a module that is not of a known native type.</summary>
    /// <exception cref="NotSupportedException">An option cannot be found.</exception>
    public static nn.Module? Build(nn.Module module) => module switch
    {
        LSTM => Recurrent(module, (o, d) => nn.LSTM(o.Inputs, o.Hidden, o.Layers, o.Bias, o.BatchFirst, o.Dropout, o.Bidirectional, d.device, d.dtype)),
        GRU => Recurrent(module, (o, d) => nn.GRU(o.Inputs, o.Hidden, o.Layers, o.Bias, o.BatchFirst, o.Dropout, o.Bidirectional, d.device, d.dtype)),
        RNN rnn => Recurrent(module, (o, d) => nn.RNN(o.Inputs, o.Hidden, o.Layers, RecurrentProbe.NonLinearity(rnn), o.Bias, o.BatchFirst, o.Dropout, o.Bidirectional, d.device, d.dtype)),
        LSTMCell => Cell(module, (o, d) => nn.LSTMCell(o.Inputs, o.Hidden, o.Bias, d.device, d.dtype)),
        GRUCell => Cell(module, (o, d) => nn.GRUCell(o.Inputs, o.Hidden, o.Bias, d.device, d.dtype)),
        RNNCell cell => Cell(module, (o, d) => nn.RNNCell(o.Inputs, o.Hidden, RecurrentProbe.NonLinearity(cell), o.Bias, d.device, d.dtype)),
        Embedding => Lookup(module, o => nn.Embedding(o.Rows, o.Columns, o.PaddingIndex, o.MaxNorm, o.NormType, o.ScaleGradByFreq, o.Sparse, o.Device, o.Type)),
        EmbeddingBag => Lookup(module, o => nn.EmbeddingBag(o.Rows, o.Columns, o.MaxNorm, o.NormType, o.ScaleGradByFreq, o.Mode, o.Sparse, o.IncludeLastOffset, o.PaddingIndex ?? -1, o.Device, o.Type)),
        MultiheadAttention attention => Attention(attention),
        _ => null,
    };

    /// <summary>Gives the copy the values of the original's parameters, or the tensor itself where it is tied to one that is copied already.</summary>
    /// <exception cref="NotSupportedException">A tied parameter of a type that lets none be set.</exception>
    public static void Weights(nn.Module module, nn.Module copy, TensorCopies tensors)
    {
        foreach (var (name, parameter) in TorchSharpPrivates.Parameters(module))
        {
            var own = TorchSharpPrivates.Parameters(copy)[name];
            if (tensors.Tied(parameter) is null)
            {
                own.copy_(parameter);
                own.requires_grad = parameter.requires_grad;
                own.DetachFromDisposeScope();
                tensors.Add(parameter, own);
                continue;
            }

            if (module.GetType().GetProperty(name) is not { CanWrite: true } property)
                throw new NotSupportedException($"its parameter {name} is tied to another, which a {module.GetType().Name} cannot be given");
            property.SetValue(copy, tensors.Copy(parameter));
            own.Dispose();
        }
    }

    private static nn.Module Recurrent(nn.Module module, Func<RecurrentFactoryOptions, (Device device, ScalarType dtype), nn.Module> factory)
    {
        var options = RecurrentProbe.Of(module);
        var weight = module.get_parameter("weight_ih_l0")!;
        return factory(options, (weight.device, weight.dtype));
    }

    private static MultiheadAttention Attention(MultiheadAttention module)
    {
        var o = AttentionProbe.Of(module);
        var weight = module.get_parameter("out_proj.weight")!;
        return nn.MultiheadAttention(o.Embedding, o.Heads, o.Dropout, o.Bias, o.AddBiasKv, o.AddZeroAttn, o.KeySize, o.ValueSize).to(weight.device, weight.dtype);
    }

    private static nn.Module Cell(nn.Module module, Func<RecurrentFactoryOptions, (Device device, ScalarType dtype), nn.Module> factory)
    {
        var weight = module.get_parameter("weight_ih")!;
        var hidden = module.get_parameter("weight_hh")!.shape[1];
        return factory(new RecurrentFactoryOptions(weight.shape[1], hidden, 1, module.has_parameter("bias_ih"), false, 0, false), (weight.device, weight.dtype));
    }

    private static nn.Module Lookup(nn.Module module, Func<EmbeddingFactoryOptions, nn.Module> factory) => factory(EmbeddingProbe.Of(module));
}
