using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules;

/// <summary>Memory and threads of the modules without a state: what many forwards leave behind, and what happens when they run at once.</summary>
[Collection(nameof(Alone))]
public class LifetimeTests
{
    private const int Forwards = 10_000;

    // One page leaked by each forward would be 40 MiB; tensors are counted besides.
    private const long ProcessBytes = 20L << 20;

    private static readonly Dictionary<string, Func<(nn.Module Module, Func<Tensor> Run)>> Modules = new()
    {
        ["Linear int8"] = () => Of(DynamicQuantizedLinear.from_float(nn.Linear(40, 30), quantization.get_default_dynamic_qconfig()), rand(4, 40)),
        ["Linear int8, strided"] = () => Of(DynamicQuantizedLinear.from_float(nn.Linear(40, 30), quantization.default_dynamic_qconfig), rand(40, 4).t()),
        ["Linear float16"] = () => Of(DynamicQuantizedLinear.from_float(nn.Linear(40, 30), quantization.float16_dynamic_qconfig), rand(4, 40)),
        ["Embedding"] = () => Of(QuantizedEmbedding.from_float(nn.Embedding(50, 24), quantization.float_qparams_weight_only_qconfig), tensor([1L, 7, 49])),
        ["Embedding, int32"] = () => Of(QuantizedEmbedding.from_float(nn.Embedding(50, 24), quantization.float_qparams_weight_only_qconfig), tensor([1, 7, 49])),
        ["EmbeddingBag"] = () =>
        {
            var module = QuantizedEmbeddingBag.from_float(nn.EmbeddingBag(50, 24, mode: TorchSharp.EmbeddingBagMode.Sum), quantization.float_qparams_weight_only_qconfig_4bit);
            var (x, offsets, weights) = (tensor([1L, 7, 49]), tensor([0L, 2]), rand(3));
            return (module, () => module.call(x, offsets, weights));
        },
        ["EmbeddingBag, rows"] = () =>
        {
            var module = QuantizedEmbeddingBag.from_float(nn.EmbeddingBag(50, 24), quantization.float_qparams_weight_only_qconfig);
            var x = tensor([1L, 7, 49, 3]).reshape(2, 2);
            return (module, () => module.call(x));
        },
    };

    public static TheoryData<string> Kinds => [.. Modules.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Ten_thousand_forwards_leave_tensors_and_process_flat(string kind)
    {
        var (module, run) = Modules[kind]();
        for (var i = 0; i < 200; i++)
            run().Dispose();
        var (tensors, memory) = (Tensor.TotalCount, Environment.WorkingSet);
        for (var i = 0; i < Forwards; i++)
            run().Dispose();
        Assert.InRange(Tensor.TotalCount - tensors, long.MinValue, 10); // fewer: what earlier tests left is finalized meanwhile
        Assert.InRange(Environment.WorkingSet - memory, long.MinValue, ProcessBytes);
        module.Dispose();
    }

    [Fact]
    public void A_hundred_quantized_copies_leave_no_more_than_a_hundred_float_models()
    {
        using var model = Float();
        var made = Left(() => Float().Dispose());
        var quantized = Left(() =>
        {
            using var linear = quantization.quantize_dynamic(model);
            using var all = quantization.quantize_dynamic(linear, dtype: qdtype.quint8, inplace: true);
        });
        // A float Linear of TorchSharp leaves two tensors uncounted at its Dispose, and a copy is made of float modules.
        Assert.InRange(quantized, long.MinValue, made + 10);

        static nn.Module Float() => nn.Sequential(("embedding", nn.Embedding(50, 24)), ("fc", nn.Linear(24, 10)));

        static long Left(Action action)
        {
            action();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            var before = Tensor.TotalCount;
            for (var i = 0; i < 100; i++)
                action();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return Tensor.TotalCount - before;
        }
    }

    [Fact]
    public void Forwards_on_eight_threads_equal_the_serial_ones_bit_for_bit()
    {
        using var linear = DynamicQuantizedLinear.from_float(nn.Linear(64, 96), quantization.get_default_dynamic_qconfig());
        using var embedding = QuantizedEmbedding.from_float(nn.Embedding(50, 64), quantization.float_qparams_weight_only_qconfig);
        float[] Bits(int which)
        {
            using var scope = NewDisposeScope();
            return linear.call(embedding.call(arange(which, which + 9, dtype: ScalarType.Int64))).data<float>().ToArray();
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

    private static (nn.Module, Func<Tensor>) Of(nn.Module<Tensor, Tensor> module, Tensor x) => (module, () => module.call(x));
}
