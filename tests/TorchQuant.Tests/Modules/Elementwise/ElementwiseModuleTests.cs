using FsCheck.Xunit;
using TorchQuant.Kernels;
using TorchQuant.Modules;
using TorchQuant.Tests.Elementwise;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Elementwise;

/// <summary>Each int8 module against dequantize, the float module, quantize.</summary>
public class ElementwiseModuleTests
{
    [Property(EndSize = 1_000_000, MaxTest = 30)]
    public void Functions_are_exactly_the_float_module_between_codes(int seed)
    {
        foreach (var c in ElementwiseCase.Functions)
            Compare(c, seed, tolerance: 0, WholeVectors);
    }

    [Property(EndSize = 1_000_000, MaxTest = 30)]
    public void Norms_and_what_else_computes_in_float_are_exactly_the_float_module_between_codes(int seed)
    {
        foreach (var c in ElementwiseCase.FloatRoutes)
            Compare(c, seed, tolerance: 0, (module, x) => module.call(x));
    }

    [Property(EndSize = 1_000_000, MaxTest = 30)]
    public void Batch_norms_are_the_float_module_between_codes_within_one_code(int seed)
    {
        foreach (var c in ElementwiseCase.BatchNorms)
            Compare(c, seed, tolerance: 1, (module, x) => module.call(x));
    }

    [Property(EndSize = 1_000_000, MaxTest = 30)]
    public void Batch_norms_of_pictures_and_volumes_equal_libtorchs_batch_norm_exactly(int seed)
    {
        using var oracle = new ElementwiseOracle();
        foreach (var name in new[] { "BatchNorm2d", "BatchNorm3d", "BNReLU2d", "BNReLU3d" })
        {
            using var scope = NewDisposeScope();
            var c = ElementwiseCase.Of(name);
            var output = RandomCodes.QParams(seed + 1);
            using var module = c.Float();
            using var int8 = ElementwiseCase.Convert(module, output);
            // Scales of tensors are doubles, and need not be floats.
            var x = c.Input(seed, RandomCodes.QParams(seed));
            x = quantize_per_tensor(x.dequantize(), 0.05, 120, ScalarType.QUInt8);
            var norm = module switch { BNReLU2d fused => fused.First, BNReLU3d fused => fused.First, _ => (BatchNorm)module };
            var expected = oracle.BatchNorm(x, norm.weight, norm.bias!, norm.running_mean!, norm.running_var!, norm.eps, output, relu: name.StartsWith("BNReLU", StringComparison.Ordinal));
            AssertSame(expected, int8.call(x), output, 0, name);
        }
    }

    [Property(EndSize = 1_000_000, MaxTest = 30)]
    public void What_keeps_the_qparams_of_its_input_is_exactly_the_float_module_between_them(int seed)
    {
        foreach (var c in ElementwiseCase.KeepQParams)
        {
            using var scope = NewDisposeScope();
            var qparams = RandomCodes.QParams(seed);
            using var module = c.Float();
            using var int8 = ElementwiseCase.Convert(module, new QParams(0.5f, 3));
            var x = c.Input(seed, qparams);
            AssertSame(Expected(module, x, qparams), int8.call(x), qparams, 0, c.Name);
        }
    }

    [Theory]
    [InlineData("BatchNorm2d", true)]
    [InlineData("BatchNorm2d", false)]
    [InlineData("Hardswish", true)]
    [InlineData("Hardswish", false)]
    [InlineData("InstanceNorm2d", true)]
    [InlineData("GroupNorm", true)]
    [InlineData("PReLU 6", false)]
    [InlineData("ReLU6", true)]
    [InlineData("AdaptiveMaxPool2d", true)]
    [InlineData("Upsample nearest 2d", true)]
    public void The_order_in_memory_is_kept(string name, bool channelsLast)
    {
        using var scope = NewDisposeScope();
        var c = ElementwiseCase.Of(name);
        using var int8 = ElementwiseCase.Convert(c.Float(), new QParams(0.1f, 30));
        var x = quantize_per_tensor(randn(2, 6, 4, 4), 0.05, 120, ScalarType.QUInt8);
        var y = int8.call(channelsLast ? ChannelsLast.ToSecond(ChannelsLast.Of(x)) : x);
        Assert.Equal([2, 6], y.shape[..2]);
        Assert.Equal(!channelsLast, y.is_contiguous());
        Assert.Equal(channelsLast, y.permute(0, 2, 3, 1).is_contiguous());
    }

    [Fact]
    public void One_module_called_with_inputs_of_many_qparams_from_many_threads_gives_what_each_asks_for()
    {
        var c = ElementwiseCase.Of("Tanh");
        var output = new QParams(2f / 256, 128);
        using var module = c.Float();
        using var int8 = ElementwiseCase.Convert(module, output);
        var wrong = 0;
        var threads = Enumerable.Range(0, 4).Select(t => new Thread(() =>
        {
            for (var i = 0; i < 200; i++)
            {
                using var scope = NewDisposeScope();
                var qparams = RandomCodes.QParams(i * (t + 1) % 20);
                var x = quantize_per_tensor(linspace(-3, 3, 64), qparams.Scale, qparams.ZeroPoint, ScalarType.QUInt8);
                if (!Expected(module, x, output).int_repr().Equals(int8.call(x).int_repr()))
                    Interlocked.Increment(ref wrong);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Equal(0, wrong);
    }

    [Fact]
    public void Empty_inputs_give_empty_outputs()
    {
        using var scope = NewDisposeScope();
        var x = quantize_per_tensor(zeros(0, 6, 4, 4), 0.05, 120, ScalarType.QUInt8);
        foreach (var name in new[] { "Hardswish", "BatchNorm2d", "BNReLU2d", "ReLU6", "PReLU 6" })
        {
            var c = ElementwiseCase.Of(name == "BNReLU2d" ? "BatchNorm2d" : name);
            using var int8 = ElementwiseCase.Convert(c.Float(), new QParams(0.1f, 30));
            Assert.Equal([0, 6, 4, 4], int8.call(x).shape);
        }
    }

    private static void Compare(ElementwiseCase c, int seed, int tolerance, Func<nn.Module<Tensor, Tensor>, Tensor, Tensor> call)
    {
        using var scope = NewDisposeScope();
        var (input, output) = (RandomCodes.QParams(seed), RandomCodes.QParams(seed + 1));
        using var module = c.Float();
        using var int8 = ElementwiseCase.Convert(module, output);
        var x = c.Input(seed, input);
        AssertSame(Quantized(call(module, x.dequantize()), output), int8.call(x), output, tolerance, c.Name);
    }

    private static Tensor Expected(nn.Module<Tensor, Tensor> module, Tensor x, QParams output) => Quantized(module.call(x.dequantize()), output);

    private static Tensor Quantized(Tensor x, QParams output)
    {
        using var noGrad = no_grad();
        return quantize_per_tensor(x, output.Scale, output.ZeroPoint, ScalarType.QUInt8);
    }

    /// <summary>libtorch's vectors and the numbers that they leave over can differ in the last bit: here nothing is left over.</summary>
    private static Tensor WholeVectors(nn.Module<Tensor, Tensor> module, Tensor x)
    {
        const long block = 256;
        var flat = x.flatten();
        var padded = cat([flat, zeros((block - flat.numel() % block) % block)]);
        return module.call(padded).narrow(0, 0, flat.numel()).reshape(x.shape);
    }

    private static void AssertSame(Tensor expected, Tensor found, QParams output, int tolerance, string name)
    {
        Assert.Equal(ScalarType.QUInt8, found.dtype);
        Assert.Equal(output, new QParams((float)found.q_scale(), (int)found.q_zero_point()));
        Assert.Equal(expected.shape, found.shape);
        byte[] e = ElementwiseOracle.Codes(expected), f = ElementwiseOracle.Codes(found);
        for (var i = 0; i < e.Length; i++)
            Assert.True(Math.Abs(e[i] - f[i]) <= tolerance, $"{name} [{string.Join(", ", found.shape)}]: code {i} is {f[i]}, expected {e[i]}");
    }
}
