using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Qat;

/// <summary>A small residual net: what is trained learns where in the image the mean is larger.</summary>
internal sealed class QatNet : MTT
{
    public readonly QuantStub quant = new();
    public MTT conv1 = nn.Conv2d(3, 6, 3, padding: 1, bias: false);
    public MTT bn1 = nn.BatchNorm2d(6);
    public MTT relu1 = nn.ReLU();
    public MTT conv2 = nn.Conv2d(6, 6, 3, padding: 1, groups: 2);
    public MTT bn2 = nn.BatchNorm2d(6);
    public FloatFunctional skip = new();
    public MTT pool = nn.MaxPool2d(2);
    public MTT flatten = nn.Flatten();
    public MTT dropout = nn.Dropout(0);
    public MTT fc = nn.Linear(96, 2);
    public readonly DeQuantStub dequant = new();

    public QatNet() : base(nameof(QatNet)) => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = relu1.call(bn1.call(conv1.call(quant.call(input))));
        x = skip.add_relu(x, bn2.call(conv2.call(x)));
        x = fc.call(dropout.call(flatten.call(pool.call(x))));
        return dequant.call(x).MoveToOuterDisposeScope();
    }
}

internal static class QatNets
{
    public static readonly string[][] Sequences = [["conv1", "bn1", "relu1"], ["conv2", "bn2"]];

    /// <summary>The float net, in training mode; its numbers follow from the seed.</summary>
    public static QatNet Float(int seed)
    {
        var net = new QatNet();
        using var random = new Generator((ulong)seed);
        using (no_grad())
            foreach (var (name, parameter) in net.named_parameters())
            {
                using var values = randn(parameter.shape, generator: random);
                using var scaled = values * (parameter.dim() > 1 ? 0.2 : 0.1);
                parameter.copy_(scaled);
                if (name.StartsWith("bn", StringComparison.Ordinal) && name.EndsWith("weight", StringComparison.Ordinal))
                    parameter.add_(1);
            }
        return net;
    }

    /// <summary>Fused and prepared.</summary>
    public static QatNet Prepared(int seed)
    {
        var net = Float(seed);
        quantization.fuse_modules_qat(net, Sequences, inplace: true);
        return quantization.prepare_qat(net, quantization.get_default_qat_qconfig(), inplace: true);
    }

    /// <summary>Trained for some steps.</summary>
    public static QatNet Trained(int seed, int steps)
    {
        var net = Prepared(seed);
        using var random = new Generator((ulong)seed);
        using var optimizer = optim.SGD(net.parameters(), 0.02, momentum: 0.9);
        for (var step = 0; step < steps; step++)
            Step(net, optimizer, random);
        return net;
    }

    /// <summary>Noise, and whether the upper half is brighter, which the label says.</summary>
    public static (Tensor Images, Tensor Labels) Data(int count, Generator random)
    {
        var labels = randint(0, 2, [count], generator: random);
        var sign = ((labels * 2) - 1).to(ScalarType.Float32).reshape(-1, 1, 1, 1);
        var images = randn([count, 3, 8, 8], generator: random);
        images.narrow(2, 0, 4).add_(sign * 0.15);
        images.narrow(2, 4, 4).sub_(sign * 0.15);
        return (images, labels);
    }

    /// <summary>One step of training.</summary>
    /// <returns>The loss.</returns>
    public static float Step(QatNet net, optim.Optimizer optimizer, Generator random)
    {
        using var scope = NewDisposeScope();
        var (x, target) = Data(16, random);
        optimizer.zero_grad();
        var loss = nn.functional.cross_entropy(net.call(x), target);
        loss.backward();
        optimizer.step();
        return loss.item<float>();
    }
}
