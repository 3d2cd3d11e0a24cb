using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Models;

/// <summary>
/// MobileNetV2 made quantizable, as torchvision's <c>models.quantization.mobilenet_v2</c>: stubs, additions through <see cref="FloatFunctional"/>, <see cref="fuse_model"/>. Its activations are
/// ReLU6, which fuses here (torchvision puts ReLU in its place). The names in <c>state_dict</c> are torchvision's.
/// </summary>
/// <remarks>
/// <para>Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (arXiv:1801.04381).</para>
/// <para>Without arguments it is the model for 224 x 224 RGB images of ImageNet, 3,504,872 parameters. For small images choose <c>in_channels</c>, <c>stemStride</c> and
/// <c>inverted_residual_setting</c>.</para>
/// </remarks>
public sealed class MobileNetV2 : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = nameof(quant))]
    private readonly QuantStub _quant = new();

    [ComponentName(Name = nameof(features))]
    private readonly Sequential _features;

    [ComponentName(Name = nameof(avgpool))]
    private readonly nn.Module<Tensor, Tensor> _avgpool = nn.AdaptiveAvgPool2d(1);

    [ComponentName(Name = nameof(classifier))]
    private readonly Sequential _classifier;

    [ComponentName(Name = nameof(dequant))]
    private readonly DeQuantStub _dequant = new();

    /// <summary>A model with new weights, in training mode.</summary>
    /// <param name="num_classes">Scores for each image.</param>
    /// <param name="width_mult">Factor for the channels of every layer.</param>
    /// <param name="inverted_residual_setting">One entry for each stage: t expands, c channels out, n blocks, s the stride of the first; null is the paper's table 2,
    /// <see cref="DefaultSetting"/>.</param>
    /// <param name="round_nearest">Channels are rounded to a multiple of this, never down by more than 10 %.</param>
    /// <param name="dropout">Of the features before the last layer, while training.</param>
    /// <param name="in_channels">Channels of the images: 3, or 1 for grey ones.</param>
    /// <param name="stemChannels">Channels of the first convolution, before <paramref name="width_mult"/>.</param>
    /// <param name="stemStride">Its stride: 2, or 1 for small images.</param>
    /// <param name="lastChannels">Channels of the last convolution, before <paramref name="width_mult"/>, which only ever makes them more.</param>
    /// <exception cref="ArgumentException">A number that is not allowed, or a setting without stages.</exception>
    public MobileNetV2(long num_classes = 1000, double width_mult = 1.0, IReadOnlyList<(long t, long c, long n, long s)>? inverted_residual_setting = null, long round_nearest = 8,
        double dropout = 0.2, long in_channels = 3, long stemChannels = 32, long stemStride = 2, long lastChannels = 1280) : base(nameof(MobileNetV2))
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(num_classes, 1);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width_mult);
        ArgumentOutOfRangeException.ThrowIfLessThan(round_nearest, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(in_channels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(stemChannels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(stemStride, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(lastChannels, 1);
        var setting = inverted_residual_setting ?? DefaultSetting;
        if (setting.Count == 0)
            throw new ArgumentException("inverted_residual_setting has no stages; give at least one (t, c, n, s).", nameof(inverted_residual_setting));

        var last = Channels(lastChannels * Math.Max(1.0, width_mult), round_nearest);
        _features = Features(setting, width_mult, round_nearest, in_channels, stemChannels, stemStride, last);
        _classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(last, num_classes));
        RegisterComponents();
        ModelInitialization.Apply(this, linearDeviation: 0.01);
    }

    /// <summary>The paper's table 2: t expands, c channels out, n blocks, s the stride of the first.</summary>
    public static IReadOnlyList<(long t, long c, long n, long s)> DefaultSetting { get; } =
        [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

    /// <summary>Where the images become int8.</summary>
    public QuantStub quant => _quant;

    /// <summary>All convolutions.</summary>
    public Sequential features => _features;

    /// <summary>The mean of each map; a module and no function, so that quantization-aware training rounds it as the int8 model does.</summary>
    public nn.Module<Tensor, Tensor> avgpool => _avgpool;

    /// <summary>Dropout and the linear layer.</summary>
    public Sequential classifier => _classifier;

    /// <summary>Where the scores become float.</summary>
    public DeQuantStub dequant => _dequant;

    /// <summary>The scores (logits) of images.</summary>
    /// <param name="input">[batch, in_channels, height, width], float32.</param>
    /// <returns>[batch, num_classes].</returns>
    public override Tensor forward(Tensor input)
    {
        using var x = _quant.call(input);
        using var maps = _features.call(x);
        using var pooled = _avgpool.call(maps);
        using var flat = pooled.flatten(1);
        using var scores = _classifier.call(flat);
        return _dequant.call(scores);
    }

    /// <summary>Loads weights of torchvision's models of this kind, in place; see <see cref="PretrainedWeights.Load"/>, whose errors it has.</summary>
    /// <param name="path">A safetensors file or a TorchScript archive, with torchvision's names.</param>
    /// <param name="head">Whether the linear layer of <see cref="classifier"/> is loaded too; without it, it stays as it is, and the file may be of other classes.</param>
    /// <returns>What was loaded and what not.</returns>
    public PretrainedWeightsReport LoadWeights(string path, bool head = true) => PretrainedWeights.Load(this, path, head ? null : [$"{nameof(classifier)}.1"]);

    /// <summary>Fuses, in place, every convolution with its batch norm and ReLU6; its scores stay the same but for rounding.</summary>
    /// <param name="is_qat">Whether for quantization-aware training: the batch norms go on training, and the model must be in training mode. Otherwise they are folded, in eval mode.</param>
    /// <exception cref="ModuleFusionException">The model is in the other mode or fused already.</exception>
    public void fuse_model(bool is_qat = false)
    {
        var groups = _features.named_children()
            .Select(child => (path: $"{nameof(features)}.{child.name}", child.module))
            .SelectMany(child => child.module is IFusableBlock block ? block.Groups(child.path) : [Conv2dNormActivation.Group(child.path)]);
        IReadOnlyList<IReadOnlyList<string>> sequences = [.. groups];
        if (is_qat)
            quantization.fuse_modules_qat(this, sequences, inplace: true);
        else
            quantization.fuse_modules(this, sequences, inplace: true);
    }

    private static Sequential Features(IReadOnlyList<(long t, long c, long n, long s)> setting, double widthMult, long roundNearest, long inputs, long stem, long stemStride, long last)
    {
        var channels = Channels(stem * widthMult, roundNearest);
        List<nn.Module<Tensor, Tensor>> blocks = [Conv2dNormActivation.Create(inputs, channels, stride: stemStride)];
        foreach (var (t, c, n, s) in setting)
        {
            var outputs = Channels(c * widthMult, roundNearest);
            for (var i = 0; i < n; i++)
            {
                blocks.Add(new InvertedResidual(channels, outputs, i == 0 ? s : 1, t));
                channels = outputs;
            }
        }

        blocks.Add(Conv2dNormActivation.Create(channels, last, kernelSize: 1));
        return nn.Sequential(blocks);
    }

    /// <summary>The multiple of divisor nearest to v, at least divisor and at least 0.9 v.</summary>
    private static long Channels(double v, long divisor)
    {
        var rounded = Math.Max(divisor, (long)(v + (divisor / 2.0)) / divisor * divisor);
        return rounded < 0.9 * v ? rounded + divisor : rounded;
    }
}
