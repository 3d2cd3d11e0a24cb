using TorchQuant.Kernels;
using TorchQuant.Models;
using TorchQuant.Modules;
using TorchSharp;
using TorchSharp.Modules;

namespace TorchQuant.Benchmarks.Models;

/// <summary>
/// A converted ResNet or MobileNetV2 as a list of steps, from the value "x" to the value "y", with the weights, scales and zero points of TorchQuant's modules: what the peers' models are
/// written from, so that all compute the same.
/// </summary>
internal sealed class CnnPlan
{
    private readonly List<CnnStep> _steps = [];
    private readonly Dictionary<string, (QParams Codes, int Size)> _values = [];

    private CnnPlan(int imageSize) => ImageSize = imageSize;

    public IReadOnlyList<CnnStep> Steps => _steps;

    /// <summary>Height and width of the images.</summary>
    public int ImageSize { get; }

    /// <summary>Multiply-adds for one image.</summary>
    public double MultiplyAdds { get; private set; }

    public double WeightBytes => _steps.Sum(step => step switch { ConvStep conv => conv.Weights.Codes.Length, LinearStep linear => linear.Weights.Codes.Length, _ => 0.0 });

    public int Classes => _steps.OfType<LinearStep>().Last().Weights.Outputs;

    /// <summary>Height and width of a value.</summary>
    public int SizeOf(string value) => _values[value].Size;

    public static CnnPlan Of(ResNet model, int imageSize)
    {
        var plan = new CnnPlan(imageSize);
        string value = plan.Conv(plan.Quantize((Quantize)model.quant), model.conv1);
        if (model.maxpool is not null)
            value = plan.MaxPool(value);
        foreach (Sequential stage in (Sequential[])[model.layer1, model.layer2, model.layer3, model.layer4])
        {
            foreach (torch.nn.Module block in stage.children())
                value = block is BasicBlock basic ? plan.Basic(basic, value) : plan.Bottleneck((Bottleneck)block, value);
        }

        plan.Finish(value, model.fc);
        return plan;
    }

    public static CnnPlan Of(MobileNetV2 model, int imageSize)
    {
        var plan = new CnnPlan(imageSize);
        string value = plan.Quantize((Quantize)model.quant);
        foreach (torch.nn.Module block in model.features.children())
            value = block is InvertedResidual residual ? plan.Inverted(residual, value) : plan.Convs((Sequential)block, value);
        plan.Finish(value, model.classifier.children().OfType<QuantizedLinear>().Single());
        return plan;
    }

    private string Basic(BasicBlock block, string x) =>
        Add(Conv(Conv(x, block.conv1), block.conv2), block.downsample is null ? x : Convs(block.downsample, x), relu: true, block.add_relu);

    private string Bottleneck(Bottleneck block, string x) =>
        Add(Conv(Conv(Conv(x, block.conv1), block.conv2), block.conv3), block.downsample is null ? x : Convs(block.downsample, x), relu: true, block.skip_add_relu);

    private string Inverted(InvertedResidual block, string x)
    {
        string y = Convs(block.conv, x);
        return block.skip_add is null ? y : Add(x, y, relu: false, block.skip_add);
    }

    /// <summary>The convolutions in a container and the containers in it; batch norms and activations have been fused into them.</summary>
    private string Convs(torch.nn.Module container, string x)
    {
        foreach (torch.nn.Module child in container.children())
            x = child is QuantizedConvolution ? Conv(x, child) : Convs(child, x);
        return x;
    }

    private string Quantize(Quantize module) => Keep(new QuantizeStep("q", "x", new QParams(module.scale, module.zero_point)), ImageSize);

    private string Conv(string x, torch.nn.Module module)
    {
        var conv = (QuantizedConvolution)module;
        ReluKind relu = conv.Options["activation"] switch
        {
            "none" => ReluKind.None,
            "relu" => ReluKind.Relu,
            "relu6" => ReluKind.Relu6,
            string other => throw new NotSupportedException($"{conv.Path} has the activation {other}; expected none, relu or relu6."),
        };
        LayerWeights weights = LayerWeights.Of(conv);
        (int stride, int padding) = ((int)conv.stride[0], (int)conv.padding[0]);
        int size = (_values[x].Size + 2 * padding - (int)weights.Shape[2]) / stride + 1;
        MultiplyAdds += (double)size * size * weights.Codes.Length;
        return Keep(new ConvStep(Next(), x, _values[x].Codes, weights, stride, padding, (int)conv.groups, relu, new QParams(conv.scale, conv.zero_point)), size);
    }

    private string Add(string left, string right, bool relu, FloatFunctional module)
    {
        var sum = (QFunctional)module;
        return Keep(new AddStep(Next(), left, _values[left].Codes, right, _values[right].Codes, relu, new QParams(sum.scale, sum.zero_point)), _values[left].Size);
    }

    private string MaxPool(string x) => Keep(new MaxPoolStep(Next(), x, _values[x].Codes), (_values[x].Size - 1) / 2 + 1);

    private void Finish(string x, torch.nn.Module classifier)
    {
        var linear = (QuantizedLinear)classifier;
        string pooled = Keep(new AveragePoolStep(Next(), x, _values[x].Codes), 1);
        LayerWeights weights = LayerWeights.Of(linear);
        MultiplyAdds += weights.Codes.Length;
        string scores = Keep(new LinearStep(Next(), pooled, _values[pooled].Codes, weights, new QParams(linear.scale, linear.zero_point)), 1);
        Keep(new DequantizeStep("y", scores, _values[scores].Codes), 1);
    }

    private string Next() => $"v{_steps.Count}";

    private string Keep(CnnStep step, int size)
    {
        _steps.Add(step);
        _values.Add(step.Output, (step.Codes, size));
        return step.Output;
    }
}
