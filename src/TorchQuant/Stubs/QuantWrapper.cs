using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>A module between stubs: dequant(module(quant(x))). For models without stubs of their own; the qconfig and the training flag are those of the module.</summary>
public sealed class QuantWrapper : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = nameof(quant))]
    private readonly QuantStub _quant = new();

    [ComponentName(Name = nameof(dequant))]
    private readonly DeQuantStub _dequant = new();

    [ComponentName(Name = nameof(module))]
    private readonly nn.Module<Tensor, Tensor> _module;

    /// <summary>Takes over the module: it is disposed with this one.</summary>
    /// <param name="module">The module whose input and output are float.</param>
    public QuantWrapper(nn.Module<Tensor, Tensor> module) : base(nameof(QuantWrapper))
    {
        ArgumentNullException.ThrowIfNull(module);
        _module = module;
        RegisterComponents();
        if (ModuleQConfig.TryGet(module, out var qconfig))
            this.qconfig = qconfig;
        train(module.training);
    }

    /// <summary>Quantizes the input.</summary>
    public QuantStub quant => _quant;

    /// <summary>The module between.</summary>
    public nn.Module<Tensor, Tensor> module => _module;

    /// <summary>Dequantizes the output.</summary>
    public DeQuantStub dequant => _dequant;

    /// <summary>dequant(module(quant(x))).</summary>
    /// <param name="input">What the module takes, in float32.</param>
    public override Tensor forward(Tensor input)
    {
        using var quantized = _quant.call(input);
        using var output = _module.call(quantized);
        return _dequant.call(output);
    }
}
