using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Recurrent;

/// <summary>Memory and threads: what many forwards leave behind, and what happens when they run at once.</summary>
[Collection(nameof(Alone))]
public class RecurrentLifetimeTests
{
    private const int Forwards = 10_000;

    // What a forward may leave to the garbage collector: the wrappers of its output tensors, and the batch sizes of a packed sequence.
    private const long ManagedBytesPerForward = 4096;

    // One page leaked by each forward would be 40 MiB; tensors are counted besides.
    private const long ProcessBytes = 20L << 20;

    private static readonly QConfig QConfig = quantization.get_default_dynamic_qconfig("native");

    public static TheoryData<string> Kinds => [.. Forward.Keys];

    private static readonly Dictionary<string, Func<(nn.Module Module, Action Run)>> Forward = new()
    {
        ["LSTM"] = () => Of(DynamicQuantizedLSTM.from_float(nn.LSTM(8, 16, 2), QConfig), rand(3, 2, 8), (m, x) => { var (y, h, c) = m.call(x); Drop(y, h, c); }),
        ["LSTM, batch first, bidirectional, strided, with states"] = () => Of(
            DynamicQuantizedLSTM.from_float(nn.LSTM(8, 16, batchFirst: true, bidirectional: true), QConfig), rand(2, 8, 3).transpose(1, 2),
            (m, x) => { using var s = zeros(2, 2, 16); var (y, h, c) = m.call(x, (s, s)); Drop(y, h, c); }),
        ["LSTM, packed"] = () => Of(DynamicQuantizedLSTM.from_float(nn.LSTM(8, 16), QConfig), rand(3, 2, 8), (m, x) =>
        {
            using var lengths = tensor(new long[] { 1, 3 });
            using var packed = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted: false);
            var (y, h, c) = m.call(packed);
            y.Dispose();
            Drop(h, c);
        }),
        ["GRU"] = () => Of(DynamicQuantizedGRU.from_float(nn.GRU(8, 16, 2), QConfig), rand(3, 2, 8), (m, x) => { var (y, h) = m.call(x); Drop(y, h); }),
        ["LSTMCell"] = () => Of(DynamicQuantizedLSTMCell.from_float(nn.LSTMCell(8, 16), QConfig), rand(2, 8), (m, x) => { var (h, c) = m.call(x); Drop(h, c); }),
        ["GRUCell"] = () => Of(DynamicQuantizedGRUCell.from_float(nn.GRUCell(8, 16), QConfig), rand(2, 8), (m, x) => Drop(m.call(x))),
        ["RNNCell"] = () => Of(DynamicQuantizedRNNCell.from_float(nn.RNNCell(8, 16), QConfig), rand(2, 8), (m, x) => Drop(m.call(x))),
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Ten_thousand_forwards_leave_tensors_and_process_flat(string kind)
    {
        var (module, run) = Forward[kind]();
        for (var i = 0; i < 200; i++)
            run();
        var (tensors, memory, managed) = (Tensor.TotalCount, Environment.WorkingSet, GC.GetAllocatedBytesForCurrentThread());
        for (var i = 0; i < Forwards; i++)
            run();
        Assert.InRange(Tensor.TotalCount - tensors, long.MinValue, 10); // fewer: what earlier tests left is finalized meanwhile
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - managed) / Forwards, 0, ManagedBytesPerForward);
        Assert.InRange(Environment.WorkingSet - memory, long.MinValue, ProcessBytes);
        module.Dispose();
    }

    [Fact]
    public void A_refused_input_leaves_no_tensor()
    {
        using var module = DynamicQuantizedLSTM.from_float(nn.LSTM(5, 3), QConfig);
        using var cell = DynamicQuantizedLSTMCell.from_float(nn.LSTMCell(5, 3), QConfig);
        using var bad = full(4, 2, 5, float.NaN);
        using var badStep = full(2, 5, float.NaN);
        using var badPacked = nn.utils.rnn.pack_sequence([full(4, 5, float.NaN)], enforce_sorted: false); // sorted ones hold two undefined tensors that TorchSharp never counts back
        var before = Tensor.TotalCount;
        Assert.Throws<ArgumentException>(() => module.call(bad));
        Assert.Throws<ArgumentException>(() => module.call(badPacked));
        Assert.Throws<ArgumentException>(() => cell.call(badStep));
        Assert.InRange(Tensor.TotalCount - before, long.MinValue, 0);
    }

    [Fact]
    public void Outputs_live_in_the_callers_scope_and_the_module_outlives_it()
    {
        using var x = rand(4, 2, 5);
        DynamicQuantizedLSTM module;
        using (NewDisposeScope())
            module = DynamicQuantizedLSTM.from_float(nn.LSTM(5, 3), QConfig);
        Tensor kept, dropped;
        using (var scope = NewDisposeScope())
        {
            (kept, dropped, _) = module.call(x);
            kept.MoveToOuterDisposeScope();
        }
        Assert.False(kept.IsInvalid);
        Assert.True(dropped.IsInvalid);
        kept.Dispose();
        module.Dispose();
    }

    [Fact]
    public void Forwards_on_eight_threads_equal_the_serial_ones_bit_for_bit()
    {
        var sample = new RecurrentCase(8, 24, 40, 2, true, false, true, true, 6, 3, Scheme.PerChannel);
        using var lstm = DynamicQuantizedLSTM.from_float(sample.Lstm(), sample.QConfig);
        using var gru = DynamicQuantizedGRU.from_float(sample.Gru(), sample.QConfig);
        float[] Bits(int which)
        {
            using var scope = NewDisposeScope();
            var x = sample.Values(100 + which, 6, 3, 24);
            var (y, h, c) = lstm.call(x);
            var (gruY, gruH) = gru.call(x);
            return RecurrentOracle.Flat(y, h, c, gruY, gruH).data<float>().ToArray();
        }
        var serial = Enumerable.Range(0, 8).Select(Bits).ToArray();
        var wrong = 0;
        var threads = Enumerable.Range(0, 8).Select(which => new Thread(() =>
        {
            for (var i = 0; i < 50; i++)
                if (!Bits(which).AsSpan().SequenceEqual(serial[which]))
                    Interlocked.Increment(ref wrong);
        })).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.Equal(0, wrong);
    }

    private static (nn.Module, Action) Of<T>(T module, Tensor x, Action<T, Tensor> run) where T : nn.Module => (module, () => run(module, x));

    private static void Drop(params ReadOnlySpan<Tensor> tensors)
    {
        foreach (var tensor in tensors)
            tensor.Dispose();
    }
}
