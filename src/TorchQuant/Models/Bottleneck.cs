using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Models;

/// <summary>
/// A block of ResNet-50 and deeper: 1x1 convolution, 3x3 with the stride, 1x1 to four times the channels, and the input added, through a 1x1 convolution where the shape changes.
/// </summary>
/// <remarks>He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition" (arXiv:1512.03385), figure 5 right; the stride is in the 3x3 convolution, as in torchvision.</remarks>
public sealed class Bottleneck : nn.Module<Tensor, Tensor>, IFusableBlock
{
    /// <summary>Channels out are this many times the planes.</summary>
    internal const long Expansion = 4;

    [ComponentName(Name = nameof(conv1))]
    private readonly nn.Module<Tensor, Tensor> _conv1;

    [ComponentName(Name = nameof(bn1))]
    private readonly nn.Module<Tensor, Tensor> _bn1;

    [ComponentName(Name = nameof(relu1))]
    private readonly nn.Module<Tensor, Tensor> _relu1 = nn.ReLU();

    [ComponentName(Name = nameof(conv2))]
    private readonly nn.Module<Tensor, Tensor> _conv2;

    [ComponentName(Name = nameof(bn2))]
    private readonly nn.Module<Tensor, Tensor> _bn2;

    [ComponentName(Name = nameof(relu2))]
    private readonly nn.Module<Tensor, Tensor> _relu2 = nn.ReLU();

    [ComponentName(Name = nameof(conv3))]
    private readonly nn.Module<Tensor, Tensor> _conv3;

    [ComponentName(Name = nameof(bn3))]
    private readonly nn.Module<Tensor, Tensor> _bn3;

    [ComponentName(Name = nameof(downsample))]
    private readonly Sequential? _downsample;

    [ComponentName(Name = nameof(skip_add_relu))]
    private readonly FloatFunctional _skip_add_relu = new();

    /// <summary>A block with new weights.</summary>
    /// <param name="inplanes">Channels in.</param>
    /// <param name="planes">Channels of the 3x3 convolution; four times as many come out.</param>
    /// <param name="stride">Of the 3x3 convolution.</param>
    public Bottleneck(long inplanes, long planes, long stride = 1) : base(nameof(Bottleneck))
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inplanes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(planes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, 1);
        _conv1 = nn.Conv2d(inplanes, planes, 1, bias: false);
        _bn1 = nn.BatchNorm2d(planes);
        _conv2 = nn.Conv2d(planes, planes, 3, stride, padding: 1, bias: false);
        _bn2 = nn.BatchNorm2d(planes);
        _conv3 = nn.Conv2d(planes, planes * Expansion, 1, bias: false);
        _bn3 = nn.BatchNorm2d(planes * Expansion);
        _downsample = ResNet.Downsample(inplanes, planes * Expansion, stride);
        RegisterComponents();
    }

    /// <summary>1x1.</summary>
    public nn.Module<Tensor, Tensor> conv1 => _conv1;

    /// <summary>After <see cref="conv1"/>.</summary>
    public nn.Module<Tensor, Tensor> bn1 => _bn1;

    /// <summary>After <see cref="bn1"/>.</summary>
    public nn.Module<Tensor, Tensor> relu1 => _relu1;

    /// <summary>3x3, with the stride.</summary>
    public nn.Module<Tensor, Tensor> conv2 => _conv2;

    /// <summary>After <see cref="conv2"/>.</summary>
    public nn.Module<Tensor, Tensor> bn2 => _bn2;

    /// <summary>After <see cref="bn2"/>.</summary>
    public nn.Module<Tensor, Tensor> relu2 => _relu2;

    /// <summary>1x1, to four times the channels.</summary>
    public nn.Module<Tensor, Tensor> conv3 => _conv3;

    /// <summary>After <see cref="conv3"/>.</summary>
    public nn.Module<Tensor, Tensor> bn3 => _bn3;

    /// <summary>1x1 convolution and batch norm for the input; null where the shape stays.</summary>
    public Sequential? downsample => _downsample;

    /// <summary>The last sum and its ReLU.</summary>
    public FloatFunctional skip_add_relu => _skip_add_relu;

    /// <summary>relu(conv(relu(conv(relu(conv(x))))) + x).</summary>
    /// <param name="input">[batch, inplanes, height, width].</param>
    /// <returns>[batch, 4 planes, height / stride, width / stride], rounded up.</returns>
    public override Tensor forward(Tensor input)
    {
        using var a = _conv1.call(input);
        using var b = _bn1.call(a);
        using var c = _relu1.call(b);
        using var d = _conv2.call(c);
        using var e = _bn2.call(d);
        using var f = _relu2.call(e);
        if (_downsample is null)
            return _skip_add_relu.ConvAddReLU(f, input, _conv3, _bn3);
        using var identity = _downsample.call(input);
        return _skip_add_relu.ConvAddReLU(f, identity, _conv3, _bn3);
    }

    IEnumerable<IReadOnlyList<string>> IFusableBlock.Groups(string path)
    {
        yield return [$"{path}.conv1", $"{path}.bn1", $"{path}.relu1"];
        yield return [$"{path}.conv2", $"{path}.bn2", $"{path}.relu2"];
        yield return [$"{path}.conv3", $"{path}.bn3"];
        if (_downsample is not null)
            yield return [$"{path}.downsample.0", $"{path}.downsample.1"];
    }
}
