using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Models;

/// <summary>
/// A block of MobileNetV2: 1x1 convolution to <c>expand_ratio</c> times as many channels, depthwise 3x3, 1x1 convolution without activation; where the shape stays, the input is added.
/// </summary>
/// <remarks>Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (arXiv:1801.04381), section 3.3.</remarks>
public sealed class InvertedResidual : nn.Module<Tensor, Tensor>, IFusableBlock
{
    [ComponentName(Name = nameof(conv))]
    private readonly Sequential _conv;

    [ComponentName(Name = nameof(skip_add))]
    private readonly FloatFunctional? _skip_add;

    /// <summary>A block with new weights.</summary>
    /// <param name="inp">Channels in.</param>
    /// <param name="oup">Channels out.</param>
    /// <param name="stride">1 or 2.</param>
    /// <param name="expand_ratio">At least 1; 1 leaves the first convolution out.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number that is not allowed.</exception>
    public InvertedResidual(long inp, long oup, long stride, long expand_ratio) : base(nameof(InvertedResidual))
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inp, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(oup, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(stride, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(expand_ratio, 1);
        var hidden = inp * expand_ratio;
        var layers = new List<nn.Module<Tensor, Tensor>>();
        if (expand_ratio != 1)
            layers.Add(Conv2dNormActivation.Create(inp, hidden, kernelSize: 1));
        layers.Add(Conv2dNormActivation.Create(hidden, hidden, stride: stride, groups: hidden));
        layers.Add(nn.Conv2d(hidden, oup, 1, bias: false));
        layers.Add(nn.BatchNorm2d(oup));
        _conv = nn.Sequential(layers);
        _skip_add = stride == 1 && inp == oup ? new FloatFunctional() : null;
        RegisterComponents();
    }

    /// <summary>The layers.</summary>
    public Sequential conv => _conv;

    /// <summary>What adds the input; null where the block changes the shape.</summary>
    public FloatFunctional? skip_add => _skip_add;

    /// <summary>conv(x), and x added where the shape stays.</summary>
    /// <param name="input">[batch, inp, height, width].</param>
    /// <returns>[batch, oup, height / stride, width / stride], rounded up.</returns>
    public override Tensor forward(Tensor input) => _skip_add is null ? _conv.call(input) : _skip_add.ConvAdd(input, input, _conv);

    IEnumerable<IReadOnlyList<string>> IFusableBlock.Groups(string path)
    {
        var last = _conv.Count - 2;
        for (var i = 0; i < last; i++)
            yield return Conv2dNormActivation.Group($"{path}.{nameof(conv)}.{i}");
        yield return [$"{path}.{nameof(conv)}.{last}", $"{path}.{nameof(conv)}.{last + 1}"];
    }
}
