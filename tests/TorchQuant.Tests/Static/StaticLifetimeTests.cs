using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Static;

/// <summary>Memory and threads of prepared and converted models.</summary>
[Collection(nameof(Alone))]
public sealed class StaticLifetimeTests : IDisposable
{
    private readonly Tensor _x = randn(16, 6, generator: new Generator(1));

    public void Dispose() => _x.Dispose();

    [Fact]
    public void A_hundred_cycles_leave_no_more_tensors_than_a_hundred_float_models()
    {
        using var model = Model();
        var made = Left(() =>
        {
            using var copy = ModuleTree.Copy(model);
            using var again = ModuleTree.Copy(model);
        });
        var cycles = Left(() =>
        {
            using var prepared = quantization.prepare(model, quantization.get_default_qconfig());
            prepared.call(_x).Dispose();
            using var int8 = quantization.convert(prepared);
            int8.call(_x).Dispose();
        });
        Assert.InRange(cycles, long.MinValue, made + 10); // a float Linear of TorchSharp leaves two tensors uncounted at its Dispose
    }

    [Fact]
    public void Ten_thousand_forwards_of_a_converted_model_leave_tensors_and_process_flat()
    {
        using var int8 = Converted();
        for (var i = 0; i < 200; i++)
            int8.call(_x).Dispose();
        var (tensors, memory) = (Tensor.TotalCount, Environment.WorkingSet);
        for (var i = 0; i < 10_000; i++)
            int8.call(_x).Dispose();
        Assert.InRange(Tensor.TotalCount - tensors, long.MinValue, 10);
        Assert.InRange(Environment.WorkingSet - memory, long.MinValue, 20L << 20);
    }

    [Fact]
    public void Forwards_on_eight_threads_equal_the_serial_ones_bit_for_bit()
    {
        using var int8 = Converted();
        float[] Bits(int which)
        {
            using var scope = NewDisposeScope();
            return int8.call(_x * (which + 1)).data<float>().ToArray();
        }
        var serial = Enumerable.Range(0, 8).Select(Bits).ToArray();
        var wrong = 0;
        var threads = Enumerable.Range(0, 8).Select(which => new Thread(() =>
        {
            for (var i = 0; i < 100; i++)
                if (!Bits(which).AsSpan().SequenceEqual(serial[which]))
                    Interlocked.Increment(ref wrong);
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        Assert.Equal(0, wrong);
    }

    [Fact]
    public void What_is_made_inside_a_scope_of_the_user_outlives_it()
    {
        Residual prepared, int8;
        using (NewDisposeScope())
        {
            prepared = quantization.prepare(Model(), quantization.get_default_qconfig(), inplace: true);
            prepared.call(_x);
        }
        using (NewDisposeScope())
        {
            prepared.call(_x * 2);
            int8 = quantization.convert(prepared);
            int8.call(_x);
        }
        using (NewDisposeScope())
        {
            using var same = quantization.convert(prepared);
            Assert.Equal(same.call(_x), int8.call(_x));
        }
        prepared.Dispose();
        int8.Dispose();
    }

    private static Residual Model()
    {
        // Sums with numbers too: they keep outputs of their own.
        var model = new Residual { Join = static (net, x, y) => net.skip.add_scalar(net.skip.mul_scalar(net.skip.add(x, y), -0.5), 0.25) };
        model.eval();
        return model;
    }

    private Residual Converted()
    {
        var prepared = quantization.prepare(Model(), quantization.get_default_qconfig(), inplace: true);
        prepared.call(_x).Dispose();
        return quantization.convert(prepared, inplace: true);
    }

    private static long Left(Action action)
    {
        action();
        Collect();
        var before = Tensor.TotalCount;
        for (var i = 0; i < 100; i++)
            action();
        Collect();
        return Tensor.TotalCount - before;
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }
}
