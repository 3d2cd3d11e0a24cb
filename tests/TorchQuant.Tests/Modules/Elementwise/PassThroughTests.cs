using FsCheck.Xunit;
using TorchQuant.Kernels;
using TorchQuant.Modules;
using TorchQuant.Tests.Elementwise;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Elementwise;

/// <summary>TorchSharp's own modules that work on quint8 tensors as they are, so that convert need not replace them (pooling it does, for speed): they keep the qparams, the codes are right, and the channels stay last.</summary>
public class PassThroughTests
{
    // Each with the spatial dimensions it takes, by how much a code may differ from the float route, and whether its output keeps the channels last.
    private static readonly (string Name, Func<nn.Module<Tensor, Tensor>> Make, int Spatial, int Tolerance, bool ChannelsLast)[] s_cases =
    [
        ("ReLU", () => nn.ReLU(), 2, 0, true), ("ReLU inplace", () => nn.ReLU(inplace: true), 2, 0, true), ("ReLU of volumes", () => nn.ReLU(), 3, 0, true), ("Hardtanh", () => nn.Hardtanh(), 2, 0, true),
        ("MaxPool1d", () => nn.MaxPool1d(2), 1, 0, true), ("MaxPool2d", () => nn.MaxPool2d(3, 2, 1), 2, 0, true), ("MaxPool3d", () => nn.MaxPool3d(2), 3, 0, true),
        ("AvgPool1d", () => nn.AvgPool1d(2), 1, 1, true), ("AvgPool2d", () => nn.AvgPool2d(2), 2, 1, true), ("AvgPool3d", () => nn.AvgPool3d(2), 3, 1, true),
        ("AdaptiveAvgPool1d", () => nn.AdaptiveAvgPool1d(2), 1, 1, true), ("AdaptiveAvgPool2d", () => nn.AdaptiveAvgPool2d(2), 2, 1, true), ("AdaptiveAvgPool3d", () => nn.AdaptiveAvgPool3d([2, 2, 2]), 3, 1, true),
        ("Flatten", () => nn.Flatten(), 2, 0, false), ("Dropout", () => nn.Dropout(), 2, 0, true), ("Dropout2d", () => nn.Dropout2d(), 2, 0, true), ("Identity", () => nn.Identity(), 2, 0, true),
        ("ZeroPad2d", () => nn.ZeroPad2d(1), 2, 0, true), ("ConstantPad2d", () => nn.ConstantPad2d(1, 0), 2, 0, true), ("ReflectionPad2d", () => nn.ReflectionPad2d(1), 2, 0, false),
        ("PixelShuffle", () => nn.PixelShuffle(2), 2, 0, false), ("ChannelShuffle", () => nn.ChannelShuffle(2), 2, 0, true),
    ];

    public static TheoryData<string> Names => [.. s_cases.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_mapping_has_no_row_for_it(string name)
    {
        using var module = s_cases.First(c => c.Name == name).Make();
        Assert.DoesNotContain(module.GetType(), StaticModuleMapping.Default.Types);
    }

    [Property(EndSize = 1_000_000, MaxTest = 30)]
    public void Codes_are_those_of_the_float_module_and_the_qparams_stay(int seed)
    {
        foreach (var c in s_cases)
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            using var module = c.Make();
            module.eval();
            var qparams = RandomCodes.QParams(seed);
            var x = Input(seed, qparams, c.Spatial);
            var real = x.dequantize();
            var expected = quantize_per_tensor(module.call(real), qparams.Scale, qparams.ZeroPoint, ScalarType.QUInt8);
            foreach (var channelsLast in new[] { false, true })
            {
                using var own = Input(seed, qparams, c.Spatial);
                var y = module.call(channelsLast ? ChannelsLast.ToSecond(ChannelsLast.Of(own)) : own);
                Assert.Equal(qparams, new QParams((float)y.q_scale(), (int)y.q_zero_point()));
                Assert.Equal(expected.shape, y.shape);
                byte[] e = ElementwiseOracle.Codes(expected), f = ElementwiseOracle.Codes(y);
                for (var i = 0; i < e.Length; i++)
                    Assert.True(Math.Abs(e[i] - f[i]) <= c.Tolerance, $"{c.Name}, channels last {channelsLast}: code {i} is {f[i]}, expected {e[i]}");
                if (channelsLast && c.ChannelsLast)
                    Assert.True(ChannelsLastView(y).is_contiguous(), $"{c.Name} gives up channels last");
            }
        }
    }

    private static Tensor ChannelsLastView(Tensor y)
    {
        var spatial = Enumerable.Range(2, (int)y.dim() - 2).Select(d => (long)d);
        return y.permute([0, .. spatial, 1]);
    }

    private static Tensor Input(int seed, QParams qparams, int spatial)
    {
        var random = new Random(seed);
        long[] shape = [random.Next(1, 3), 8, .. Enumerable.Range(0, spatial).Select(_ => (long)random.Next(3, 8))];
        using var like = new QuantizedOutput(qparams);
        var x = like.Empty(shape);
        RandomCodes.Codes((int)x.numel(), seed).CopyTo(x.Span<byte>());
        return x;
    }
}
