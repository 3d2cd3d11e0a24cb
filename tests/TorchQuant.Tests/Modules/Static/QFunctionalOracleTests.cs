using System.Runtime.CompilerServices;
using FsCheck.Xunit;
using TorchQuant.Kernels;
using TorchQuant.Modules;
using TorchQuant.Tests.Elementwise;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

/// <summary>QFunctional against the quantized operators of the libtorch that TorchSharp loads: same integers, same scale and zero point, for any shape, order of memory and qparams.</summary>
public class QFunctionalOracleTests
{
    /// <summary>libtorch dequantizes whole vectors by a fused multiply-add, as we do, and what is left over of a run of memory without; next to ties of rounding both can differ.</summary>
    [Property(EndSize = 1_000_000, MaxTest = 200)]
    public void Sums_equal_libtorchs_but_for_what_its_vectors_leave_over(int seed)
    {
        using var scope = NewDisposeScope();
        using var oracle = new ElementwiseOracle();
        var (random, output) = (new Random(seed), RandomCodes.QParams(seed + 2));
        var shape = Shape(random, 5);
        shape[^1] *= 16;
        var (x, y) = (Codes(oracle, random, seed, shape), Codes(oracle, random, seed + 1, shape));
        using var module = Functional(output);
        var sum = x.dequantize() + y.dequantize();
        AssertSame(oracle.Pair("add", x, y, output), module.add(x, y), quantize_per_tensor(sum, output.Scale, output.ZeroPoint, ScalarType.QUInt8));
        AssertSame(oracle.Pair("add_relu", x, y, output), module.add_relu(x, y), quantize_per_tensor(sum.relu(), output.Scale, output.ZeroPoint, ScalarType.QUInt8));
    }

    [Property(EndSize = 1_000_000, MaxTest = 300)]
    public void Products_broadcast_as_libtorchs_do(int seed)
    {
        using var scope = NewDisposeScope();
        using var oracle = new ElementwiseOracle();
        var (random, output) = (new Random(seed), RandomCodes.QParams(seed + 2));
        var shape = Shape(random, 5);
        var (x, y) = (Codes(oracle, random, seed, Reduced(random, shape)), Codes(oracle, random, seed + 1, Reduced(random, shape)));
        using var module = Functional(output);
        AssertSame(oracle.Pair("mul", x.contiguous(), y.contiguous(), output), module.mul(x, y)); // libtorch refuses some mixtures of orders of memory
    }

    [Property(EndSize = 1_000_000, MaxTest = 300)]
    public void Sums_broadcast_as_expanded_tensors_do(int seed)
    {
        using var scope = NewDisposeScope();
        using var oracle = new ElementwiseOracle();
        var (random, output) = (new Random(seed), RandomCodes.QParams(seed + 2));
        var shape = Shape(random, 5);
        var (x, y) = (Codes(oracle, random, seed, Reduced(random, shape)), Codes(oracle, random, seed + 1, Reduced(random, shape)));
        using var module = Functional(output);
        using var zero = x.dequantize() + y.dequantize();
        var (wholeX, wholeY) = (x.expand(zero.shape).contiguous(), y.expand(zero.shape).contiguous());
        AssertSame(module.add(wholeX, wholeY), module.add(x, y));
        AssertSame(module.add_relu(wholeX, wholeY), module.add_relu(x, y));
    }

    [Property(EndSize = 1_000_000, MaxTest = 400)]
    public void Joined_tensors_equal_libtorchs(int seed)
    {
        using var scope = NewDisposeScope();
        using var oracle = new ElementwiseOracle();
        using var functional = new FunctionalOracle();
        var random = new Random(seed);
        var shape = Shape(random, 5);
        var dim = random.Next(3) == 0 ? random.Next(shape.Length) : Math.Min(1, shape.Length - 1);
        var parts = Enumerable.Range(0, 3).Select(i =>
        {
            long[] part = [.. shape];
            part[dim] = random.Next(1, 40);
            return Codes(oracle, random, seed + i, part);
        }).ToArray();
        var output = random.Next(2) == 0 ? RandomCodes.QParams(seed + 3) : new QParams(2 * (float)parts[0].q_scale(), (int)parts[0].q_zero_point()); // ties
        using var module = Functional(output);
        AssertSame(functional.Cat(parts, dim, output), module.cat(parts, dim));
        var negative = module.cat(parts, dim - shape.Length); // libtorch rounds in one way only there, so next to ties they differ
        using var codes = negative.int_repr().to(ScalarType.Int32);
        using var expected = module.cat(parts, dim).int_repr().to(ScalarType.Int32);
        Assert.InRange((codes - expected).abs().max().item<int>(), 0, 1);
    }

    [Property(EndSize = 1_000_000, MaxTest = 400)]
    public void Sums_with_numbers_equal_libtorchs(int seed)
    {
        using var scope = NewDisposeScope();
        using var oracle = new ElementwiseOracle();
        using var functional = new FunctionalOracle();
        var random = new Random(seed);
        var x = Codes(oracle, random, seed, Shape(random, 5));
        var number = (random.NextDouble() - 0.5) * 255 * x.q_scale() * (random.Next(3) switch { 0 => 1, 1 => 4, _ => 100 });
        using var module = Functional(new QParams(1, 0));
        AssertSame(functional.Scalar("add_scalar", x, number), module.add_scalar(x, number));
    }

    [Property(EndSize = 1_000_000, MaxTest = 300)]
    public void Products_with_numbers_equal_libtorchs(int seed)
    {
        using var scope = NewDisposeScope();
        using var oracle = new ElementwiseOracle();
        using var functional = new FunctionalOracle();
        var random = new Random(seed);
        var x = Codes(oracle, random, seed, Shape(random, 5));
        var number = random.Next(8) == 0 ? 0 : Math.Exp((random.NextDouble() * 6) - 3) * (random.Next(2) == 0 ? 1 : -1);
        using var module = Functional(new QParams(1, 0));
        AssertSame(functional.Scalar("mul_scalar", x, number), module.mul_scalar(x, number));
    }

    private static QFunctional Functional(QParams output) => QFunctional.from_float(new StaticConversion("skip", quantization.default_qconfig, new FixedQParamsObserver(output.Scale, output.ZeroPoint)));

    /// <summary>1 to 5 dimensions, many of them 1, at most some thousand elements.</summary>
    private static long[] Shape(Random random, int most)
    {
        var shape = new long[random.Next(1, most + 1)];
        for (var i = 0; i < shape.Length; i++)
            shape[i] = random.Next(4) == 0 ? 1 : random.Next(1, 9);
        return shape;
    }

    /// <summary>A shape that broadcasts to the other: leading dimensions missing, others 1.</summary>
    private static long[] Reduced(Random random, long[] shape) =>
        random.Next(3) == 0 ? shape : [.. shape.Skip(random.Next(shape.Length)).Select(size => random.Next(3) == 0 ? 1 : size)];

    /// <summary>Codes in one of the orders of memory: contiguous, channels last, a part of a larger tensor.</summary>
    private static Tensor Codes(ElementwiseOracle oracle, Random random, int seed, long[] shape)
    {
        var order = random.Next(3);
        long[] made = order == 2 ? [.. shape[..^1], shape[^1] + 3] : shape;
        var tensor = oracle.Quantized(RandomCodes.Codes((int)made.Aggregate(1L, (a, b) => a * b), seed), RandomCodes.QParams(seed), made);
        return order switch
        {
            1 when shape.Length is >= 3 and <= 5 => ChannelsLast.ToSecond(ChannelsLast.Of(tensor)),
            2 => tensor.narrow(-1, 1, shape[^1]),
            _ => tensor,
        };
    }

    /// <param name="expected">libtorch's.</param>
    /// <param name="actual">Ours.</param>
    /// <param name="leftOver">What libtorch may have instead, where its vectors end.</param>
    private static void AssertSame(Tensor expected, Tensor actual, Tensor? leftOver = null)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.Equal((float)expected.q_scale(), (float)actual.q_scale());
        Assert.Equal(expected.q_zero_point(), actual.q_zero_point());
        var (libtorchs, ours) = (ElementwiseOracle.Codes(expected), ElementwiseOracle.Codes(actual));
        if (leftOver is null)
            Assert.Equal(libtorchs, ours);
        else
            Assert.All(libtorchs.Zip(ours, ElementwiseOracle.Codes(leftOver)), code => Assert.True(code.First == code.Second || code.First == code.Third));
    }

    /// <summary>The archive of Oracles/make_functional.py.</summary>
    private sealed class FunctionalOracle([CallerFilePath] string source = "") : IDisposable
    {
        private readonly jit.ScriptModule _archive = jit.load(Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "Oracles", "functional.pt"));

        public void Dispose() => _archive.Dispose();

        public Tensor Scalar(string name, Tensor x, double number) => (Tensor)_archive.invoke(name, x, number);

        public Tensor Cat(Tensor[] x, long dim, QParams output) => (Tensor)_archive.invoke("cat3", x[0], x[1], x[2], dim, (double)output.Scale, (long)output.ZeroPoint);
    }
}
