using System.Runtime.InteropServices;
using FsCheck.Xunit;
using TorchQuant.Kernels;
using TorchQuant.Modules;
using TorchQuant.Tests.Elementwise;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Pooling;

/// <summary>Each int8 module against libtorch's own pooling of the same quint8 tensor.</summary>
public class QuantizedPoolTests
{
    public static TheoryData<string> Kinds => [.. PoolCase.Kinds];

    [Property(EndSize = 1_000_000, MaxTest = 100)]
    public void Codes_are_those_of_libtorch_in_every_order_of_memory_with_and_without_a_batch(int seed)
    {
        foreach (var kind in PoolCase.Kinds)
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var random = new Random(seed);
            var qparams = RandomCodes.QParams(seed);
            using var module = PoolCase.Make(kind, random);
            using var int8 = PoolCase.Int8(module);
            foreach (var x in PoolCase.Orders(PoolCase.Input(kind, random, qparams)))
            {
                var what = $"{int8} of [{string.Join(", ", x.shape)}], strides [{string.Join(", ", x.stride())}]";
                if (Expected(module, x) is not { } expected)
                    Assert.Contains($"net.pool ({int8.Kind})", Assert.ThrowsAny<ArgumentException>(() => int8.call(x)).Message);
                else if (Found(int8, x) is { } found)
                    AssertSame(expected, found, x, module, what);
                else
                    Assert.True(expected.numel() == 0 || module is MaxPool1d or MaxPool2d or MaxPool3d, $"{what} is refused");
            }
        }
    }

    private static void AssertSame(Tensor expected, Tensor found, Tensor x, nn.Module<Tensor, Tensor> module, string what)
    {
        Assert.Equal((x.q_scale(), x.q_zero_point()), (found.q_scale(), found.q_zero_point()));
        Assert.True(expected.shape.SequenceEqual(found.shape), $"{what}: [{string.Join(", ", found.shape)}], expected [{string.Join(", ", expected.shape)}]");
        byte[] e = ElementwiseOracle.Codes(expected), f = ElementwiseOracle.Codes(found);
        var same = e.AsSpan().CommonPrefixLength(f);
        if (same < e.Length && Means(module, x) is { } means && IsExplained(e, f, x, means))
            return;
        if (same < e.Length && x.shape.AsSpan(1).Contains(1) && Means(module, x) is null)
            return; // the float module refuses what libtorch's int8 one takes, wrong distances in memory and all

        Assert.True(same == e.Length, same == e.Length ? "" : $"{what}: code {same} is {f[same]}, libtorch has {e[same]}");
        if (!CodeOrder.LiesChannelsLast(x, (int)x.dim()) || x.dim() != PoolCase.Spatial(module.GetType().Name) + 2)
            return;
        using var view = ChannelsLast.ViewOf(found);
        Assert.True(view.is_contiguous(), $"{what} gives up channels last");
    }

    /// <summary>
    /// Where libtorch may differ. Its vectors add the zero point before they round to even, and what is left of the channels after: an average exactly halfway between two codes becomes the upper or the lower one by its
    /// place. And it takes wrong distances in memory where a spatial size is 1: there its codes are not the nearest, and ours are.
    /// </summary>
    private static bool IsExplained(byte[] expected, byte[] found, Tensor x, double[] means)
    {
        var zeroPoint = x.q_zero_point();
        if (Enumerable.Range(0, means.Length).All(i => expected[i] == found[i] || (Math.Abs(expected[i] - found[i]) == 1 && Math.Abs(means[i] - Math.Floor(means[i]) - 0.5) < 1e-9)))
            return true;
        if (!x.shape.AsSpan(1).Contains(1))
            return false;
        Assert.Contains(means.Zip(expected), pair => !IsNearest(pair.First, pair.Second));
        Assert.DoesNotContain(means.Zip(found), pair => !IsNearest(pair.First, pair.Second));
        return true;

        bool IsNearest(double mean, byte code) => Math.Abs(Math.Clamp(mean + zeroPoint, 0, 255) - code) < 0.5 + 1e-4;
    }

    /// <summary>What the module makes of the codes less their zero point, in float64; null if it refuses them.</summary>
    private static double[]? Means(nn.Module<Tensor, Tensor> module, Tensor x) =>
        Expected(module, x.int_repr().to(ScalarType.Float64).sub(x.q_zero_point())) is { } real ? real.contiguous().data<double>().ToArray() : null;

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Large_inputs_are_shared_by_threads_to_the_codes_of_libtorch(string kind)
    {
        using var scope = NewDisposeScope();
        var qparams = new QParams(0.05f, 77);
        var spatial = PoolCase.Spatial(kind);
        long[] shape = [2, 37, .. Enumerable.Repeat(spatial == 1 ? 2000L : spatial == 2 ? 61 : 17, spatial)];
        using var like = new QuantizedOutput(qparams);
        var x = like.Empty(shape);
        RandomCodes.Codes((int)x.numel(), 3).CopyTo(x.Span<byte>());
        x = ChannelsLast.ToSecond(ChannelsLast.Of(x));
        for (var seed = 0; seed < 4; seed++)
        {
            using var module = PoolCase.Make(kind, new Random(seed));
            using var int8 = PoolCase.Int8(module);
            if (Expected(module, x) is { } expected)
                Assert.Equal(ElementwiseOracle.Codes(expected), ElementwiseOracle.Codes(int8.call(x)));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Float_tensors_are_pooled_as_by_the_float_module_gradients_included(string kind)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(11);
        var random = new Random(4);
        using var module = PoolCase.Make(kind, random);
        using var int8 = PoolCase.Int8(module);
        long[] shape = [2, 5, .. Enumerable.Repeat(9L, PoolCase.Spatial(kind))];
        Tensor one = randn(shape, generator: generator), two = one.clone();
        one.requires_grad = two.requires_grad = true;
        Tensor expected = module.call(one), found = int8.call(two);
        Assert.Equal(expected, found);
        (expected * expected).sum().backward();
        (found * found).sum().backward();
        Assert.Equal(one.grad, two.grad);
    }

    [Fact]
    public void Signed_codes_are_libtorchs()
    {
        using var scope = NewDisposeScope();
        var x = quantize_per_tensor(randn(2, 3, 6, 6), 0.05, 3, ScalarType.QInt8);
        using var module = nn.MaxPool2d(2);
        using var int8 = PoolCase.Int8(module);
        Assert.Equal(module.call(x).int_repr(), int8.call(x).int_repr());
    }

    [Fact]
    public void Empty_batches_give_what_libtorch_gives()
    {
        using var scope = NewDisposeScope();
        var x = quantize_per_tensor(zeros(0, 3, 6, 6), 0.05, 3, ScalarType.QUInt8);
        using var module = nn.MaxPool2d(2);
        using var int8 = PoolCase.Int8(module);
        Assert.Equal(Expected(module, x)?.shape, Found(int8, x)?.shape);
    }

    [Theory]
    [InlineData("MaxPool1d", "net.pool (QuantizedMaxPool) takes inputs of the shape [batch, channels, length], with or without the batch, found [2, 5, 4, 4]")]
    [InlineData("AvgPool3d", "net.pool (QuantizedAvgPool) takes inputs of the shape [batch, channels, depth, height, width], with or without the batch, found [5]")]
    [InlineData("AdaptiveAvgPool2d", "net.pool (QuantizedAdaptiveAvgPool) takes inputs of the shape [batch, channels, height, width], with or without the batch, found [5]")]
    public void A_wrong_shape_is_told_with_the_right_one(string kind, string message)
    {
        using var scope = NewDisposeScope();
        using var int8 = PoolCase.Int8(PoolCase.Make(kind, new Random(1)));
        var x = quantize_per_tensor(kind == "MaxPool1d" ? randn(2, 5, 4, 4) : randn(5), 0.1, 3, ScalarType.QUInt8);
        Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(() => int8.call(x)).Message);
    }

    [Fact]
    public void An_input_that_is_too_small_for_a_window_is_refused_with_the_path()
    {
        using var scope = NewDisposeScope();
        using var int8 = PoolCase.Int8(nn.MaxPool2d(5));
        var x = quantize_per_tensor(randn(2, 3, 4, 4), 0.1, 3, ScalarType.QUInt8);
        foreach (var input in new[] { x, ChannelsLast.ToSecond(ChannelsLast.Of(x)) })
            Assert.Matches(@"^net\.pool \(QuantizedMaxPool\)(, for an input of the shape \[2, 3, 4, 4\]: | takes inputs of the shape .* that is no smaller than a window, found \[2, 3, 4, 4\])", Assert.ThrowsAny<ArgumentException>(() => int8.call(input)).Message);
    }

    private static Tensor? Expected(nn.Module<Tensor, Tensor> module, Tensor x)
    {
        try
        {
            return module.call(x);
        }
        catch (ExternalException)
        {
            return null;
        }
    }

    /// <summary>Null where a window of a max pooling has all of its elements in the padding, or there is none: libtorch gives codes without a meaning, or none, where its float module has minus infinity, or refuses.</summary>
    private static Tensor? Found(nn.Module<Tensor, Tensor> int8, Tensor x)
    {
        try
        {
            return int8.call(x);
        }
        catch (ArgumentException e) when (e.Message.Contains("a window has all of its elements in the padding", StringComparison.Ordinal) || e.Message.Contains("no smaller than a window", StringComparison.Ordinal))
        {
            return null;
        }
    }
}
