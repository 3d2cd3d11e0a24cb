using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Models;

/// <summary>
/// ResNet made quantizable, as torchvision's <c>models.quantization.resnet18</c> and <c>resnet50</c>: stubs, additions through <see cref="FloatFunctional"/>, <see cref="fuse_model"/>.
/// The names in <c>state_dict</c> are torchvision's.
/// </summary>
/// <remarks>He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition" (arXiv:1512.03385).</remarks>
public sealed class ResNet : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = nameof(quant))]
    private readonly QuantStub _quant = new();

    [ComponentName(Name = nameof(conv1))]
    private readonly nn.Module<Tensor, Tensor> _conv1;

    [ComponentName(Name = nameof(bn1))]
    private readonly nn.Module<Tensor, Tensor> _bn1;

    [ComponentName(Name = nameof(relu))]
    private readonly nn.Module<Tensor, Tensor> _relu = nn.ReLU();

    [ComponentName(Name = nameof(maxpool))]
    private readonly nn.Module<Tensor, Tensor>? _maxpool;

    [ComponentName(Name = nameof(layer1))]
    private readonly Sequential _layer1;

    [ComponentName(Name = nameof(layer2))]
    private readonly Sequential _layer2;

    [ComponentName(Name = nameof(layer3))]
    private readonly Sequential _layer3;

    [ComponentName(Name = nameof(layer4))]
    private readonly Sequential _layer4;

    [ComponentName(Name = nameof(avgpool))]
    private readonly nn.Module<Tensor, Tensor> _avgpool = nn.AdaptiveAvgPool2d(1);

    [ComponentName(Name = nameof(fc))]
    private readonly nn.Module<Tensor, Tensor> _fc;

    [ComponentName(Name = nameof(dequant))]
    private readonly DeQuantStub _dequant = new();

    private ResNet(bool bottleneck, int[] layers, long numClasses, long inChannels, long width, bool smallImages) : base(nameof(ResNet))
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(numClasses, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(inChannels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        _conv1 = smallImages ? nn.Conv2d(inChannels, width, 3, padding: 1, bias: false) : nn.Conv2d(inChannels, width, 7, 2, padding: 3, bias: false);
        _bn1 = nn.BatchNorm2d(width);
        _maxpool = smallImages ? null : nn.MaxPool2d(3, 2, padding: 1);
        var channels = width;
        _layer1 = Layer(1, 1);
        _layer2 = Layer(2, 2);
        _layer3 = Layer(3, 2);
        _layer4 = Layer(4, 2);
        _fc = nn.Linear(channels, numClasses);
        RegisterComponents();
        ModelInitialization.Apply(this, linearDeviation: null);

        Sequential Layer(int number, long stride)
        {
            var planes = width << (number - 1);
            var blocks = new List<nn.Module<Tensor, Tensor>>();
            for (var i = 0; i < layers[number - 1]; i++)
            {
                blocks.Add(bottleneck ? new Bottleneck(channels, planes, i == 0 ? stride : 1) : new BasicBlock(channels, planes, i == 0 ? stride : 1));
                channels = bottleneck ? planes * Bottleneck.Expansion : planes;
            }

            return nn.Sequential(blocks);
        }
    }

    /// <summary>ResNet-18: two <see cref="BasicBlock"/>s a stage; 11,689,512 parameters without arguments.</summary>
    /// <param name="num_classes">Scores for each image.</param>
    /// <param name="in_channels">Channels of the images: 3, or 1 for grey ones.</param>
    /// <param name="width">Channels of the first stage; each further stage has twice as many.</param>
    /// <param name="smallImages">For images of about 32 x 32: the stem is a 3x3 convolution without stride and without max pooling, as in section 4.2 of the paper.</param>
    /// <returns>A model with new weights, in training mode.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number below 1.</exception>
    public static ResNet resnet18(long num_classes = 1000, long in_channels = 3, long width = 64, bool smallImages = false)
        => new(false, [2, 2, 2, 2], num_classes, in_channels, width, smallImages);

    /// <summary>ResNet-50: 3, 4, 6 and 3 <see cref="Bottleneck"/>s; 25,557,032 parameters without arguments.</summary>
    /// <param name="num_classes">Scores for each image.</param>
    /// <param name="in_channels">Channels of the images: 3, or 1 for grey ones.</param>
    /// <param name="width">Channels of the first stage's 3x3 convolutions; each further stage has twice as many.</param>
    /// <param name="smallImages">For images of about 32 x 32: the stem is a 3x3 convolution without stride and without max pooling.</param>
    /// <returns>A model with new weights, in training mode.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number below 1.</exception>
    public static ResNet resnet50(long num_classes = 1000, long in_channels = 3, long width = 64, bool smallImages = false)
        => new(true, [3, 4, 6, 3], num_classes, in_channels, width, smallImages);

    /// <summary>Where the images become int8.</summary>
    public QuantStub quant => _quant;

    /// <summary>The stem's convolution.</summary>
    public nn.Module<Tensor, Tensor> conv1 => _conv1;

    /// <summary>After <see cref="conv1"/>.</summary>
    public nn.Module<Tensor, Tensor> bn1 => _bn1;

    /// <summary>After <see cref="bn1"/>.</summary>
    public nn.Module<Tensor, Tensor> relu => _relu;

    /// <summary>After <see cref="relu"/>; null in a model for small images.</summary>
    public nn.Module<Tensor, Tensor>? maxpool => _maxpool;

    /// <summary>The first stage.</summary>
    public Sequential layer1 => _layer1;

    /// <summary>The second stage, at half the size.</summary>
    public Sequential layer2 => _layer2;

    /// <summary>The third stage, at a quarter of the size.</summary>
    public Sequential layer3 => _layer3;

    /// <summary>The fourth stage, at an eighth of the size.</summary>
    public Sequential layer4 => _layer4;

    /// <summary>The mean of each map.</summary>
    public nn.Module<Tensor, Tensor> avgpool => _avgpool;

    /// <summary>The linear layer.</summary>
    public nn.Module<Tensor, Tensor> fc => _fc;

    /// <summary>Where the scores become float.</summary>
    public DeQuantStub dequant => _dequant;

    /// <summary>The scores (logits) of images.</summary>
    /// <param name="input">[batch, in_channels, height, width], float32.</param>
    /// <returns>[batch, num_classes].</returns>
    public override Tensor forward(Tensor input)
    {
        using var x = Stem(input);
        using var x1 = _layer1.call(x);
        using var x2 = _layer2.call(x1);
        using var x3 = _layer3.call(x2);
        using var x4 = _layer4.call(x3);
        using var pooled = _avgpool.call(x4);
        using var flat = pooled.flatten(1);
        using var scores = _fc.call(flat);
        return _dequant.call(scores);
    }

    /// <summary>Loads weights of torchvision's models of this kind, in place; see <see cref="PretrainedWeights.Load"/>, whose errors it has.</summary>
    /// <param name="path">A safetensors file or a TorchScript archive, with torchvision's names.</param>
    /// <param name="head">Whether <see cref="fc"/> is loaded too; without it, it stays as it is, and the file may be of other classes.</param>
    /// <returns>What was loaded and what not.</returns>
    public PretrainedWeightsReport LoadWeights(string path, bool head = true) => PretrainedWeights.Load(this, path, head ? null : [nameof(fc)]);

    /// <summary>Fuses, in place, every convolution with its batch norm and ReLU; its scores stay the same but for rounding.</summary>
    /// <param name="is_qat">Whether for quantization-aware training: the batch norms go on training, and the model must be in training mode. Otherwise they are folded, in eval mode.</param>
    /// <exception cref="ModuleFusionException">The model is in the other mode or fused already.</exception>
    public void fuse_model(bool is_qat = false)
    {
        var groups = named_modules().SelectMany(m => m.module is IFusableBlock block ? block.Groups(m.name) : []);
        IReadOnlyList<IReadOnlyList<string>> sequences = [["conv1", "bn1", "relu"], .. groups];
        if (is_qat)
            quantization.fuse_modules_qat(this, sequences, inplace: true);
        else
            quantization.fuse_modules(this, sequences, inplace: true);
    }

    /// <summary>The path of a block's input where the block changes the shape: "0" a 1x1 convolution with the stride, "1" a batch norm. Null where it does not.</summary>
    internal static Sequential? Downsample(long inputs, long outputs, long stride)
        => stride == 1 && inputs == outputs ? null : nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias: false), nn.BatchNorm2d(outputs));

    private Tensor Stem(Tensor input)
    {
        using var x = _quant.call(input);
        using var a = _conv1.call(x);
        using var b = _bn1.call(a);
        if (_maxpool is null)
            return _relu.call(b);
        using var c = _relu.call(b);
        return _maxpool.call(c);
    }
}
