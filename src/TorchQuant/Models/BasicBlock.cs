using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Models;

/// <summary>A block of ResNet-18 and ResNet-34: two 3x3 convolutions and the input added, through a 1x1 convolution where the shape changes.</summary>
/// <remarks>He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition" (arXiv:1512.03385), figure 5 left.</remarks>
public sealed class BasicBlock : nn.Module<Tensor, Tensor>, IFusableBlock
{
    [ComponentName(Name = nameof(conv1))]
    private readonly nn.Module<Tensor, Tensor> _conv1;

    [ComponentName(Name = nameof(bn1))]
    private readonly nn.Module<Tensor, Tensor> _bn1;

    [ComponentName(Name = nameof(relu))]
    private readonly nn.Module<Tensor, Tensor> _relu = nn.ReLU();

    [ComponentName(Name = nameof(conv2))]
    private readonly nn.Module<Tensor, Tensor> _conv2;

    [ComponentName(Name = nameof(bn2))]
    private readonly nn.Module<Tensor, Tensor> _bn2;

    [ComponentName(Name = nameof(downsample))]
    private readonly Sequential? _downsample;

    [ComponentName(Name = nameof(add_relu))]
    private readonly FloatFunctional _add_relu = new();

    /// <summary>A block with new weights.</summary>
    /// <param name="inplanes">Channels in.</param>
    /// <param name="planes">Channels out.</param>
    /// <param name="stride">Of the first convolution.</param>
    public BasicBlock(long inplanes, long planes, long stride = 1) : base(nameof(BasicBlock))
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inplanes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(planes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, 1);
        _conv1 = nn.Conv2d(inplanes, planes, 3, stride, padding: 1, bias: false);
        _bn1 = nn.BatchNorm2d(planes);
        _conv2 = nn.Conv2d(planes, planes, 3, padding: 1, bias: false);
        _bn2 = nn.BatchNorm2d(planes);
        _downsample = ResNet.Downsample(inplanes, planes, stride);
        RegisterComponents();
    }

    /// <summary>3x3, with the stride.</summary>
    public nn.Module<Tensor, Tensor> conv1 => _conv1;

    /// <summary>After <see cref="conv1"/>.</summary>
    public nn.Module<Tensor, Tensor> bn1 => _bn1;

    /// <summary>After <see cref="bn1"/>.</summary>
    public nn.Module<Tensor, Tensor> relu => _relu;

    /// <summary>3x3.</summary>
    public nn.Module<Tensor, Tensor> conv2 => _conv2;

    /// <summary>After <see cref="conv2"/>.</summary>
    public nn.Module<Tensor, Tensor> bn2 => _bn2;

    /// <summary>1x1 convolution and batch norm for the input; null where the shape stays.</summary>
    public Sequential? downsample => _downsample;

    /// <summary>The last sum and its ReLU.</summary>
    public FloatFunctional add_relu => _add_relu;

    /// <summary>relu(conv(relu(conv(x))) + x).</summary>
    /// <param name="input">[batch, inplanes, height, width].</param>
    /// <returns>[batch, planes, height / stride, width / stride], rounded up.</returns>
    public override Tensor forward(Tensor input)
    {
        using var a = _conv1.call(input);
        using var b = _bn1.call(a);
        using var c = _relu.call(b);
        if (_downsample is null)
            return _add_relu.ConvAddReLU(c, input, _conv2, _bn2);
        using var identity = _downsample.call(input);
        return _add_relu.ConvAddReLU(c, identity, _conv2, _bn2);
    }

    IEnumerable<IReadOnlyList<string>> IFusableBlock.Groups(string path)
    {
        yield return [$"{path}.conv1", $"{path}.bn1", $"{path}.relu"];
        yield return [$"{path}.conv2", $"{path}.bn2"];
        if (_downsample is not null)
            yield return [$"{path}.downsample.0", $"{path}.downsample.1"];
    }
}
