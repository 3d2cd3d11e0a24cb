using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Static;

/// <summary>Calibration in shards: copies of a prepared model see parts of the data and are merged.</summary>
public sealed class MergeObserversTests : IDisposable
{
    private readonly Tensor _x = randn(64, 6, generator: new Generator(1));

    public void Dispose() => _x.Dispose();

    [Fact]
    public void Halves_on_two_threads_merged_convert_to_the_model_that_saw_all()
    {
        using var scope = NewDisposeScope();
        using var prepared = Prepared(quantization.default_qconfig);
        using var all = ModuleTree.Copy(prepared);
        using var first = ModuleTree.Copy(prepared);
        using var second = ModuleTree.Copy(prepared);
        var (x1, x2) = (_x.narrow(0, 0, 40), _x.narrow(0, 40, 24) * 3);
        all.call(x1);
        all.call(x2);
        Parallel.Invoke(() => first.call(x1).Dispose(), () => second.call(x2).Dispose());
        quantization.merge_observers(prepared, first);
        quantization.merge_observers(prepared, second);

        Assert.Equal(quantization.get_observer_state_dict(all).Select(e => (e.Key, e.Value.item<float>())), quantization.get_observer_state_dict(prepared).Select(e => (e.Key, e.Value.item<float>())));
        Assert.Equal(2, ((IObserved)prepared.skip).Calibration!.Calls);
        using var expected = quantization.convert(all);
        using var actual = quantization.convert(prepared); // it has not run itself: the example to check with is the shard's
        Assert.Equal(expected.call(_x), actual.call(_x));
        Assert.Equal(expected.ToString(), actual.ToString());
    }

    [Fact]
    public void What_a_shard_called_twice_in_a_pass_is_refused_after_merging_too()
    {
        using var prepared = Prepared(quantization.default_qconfig);
        using var shard = ModuleTree.Copy(prepared);
        shard.Join = static (net, x, y) => net.skip.add(net.skip.add(x, y), y);
        prepared.call(_x).Dispose();
        shard.call(_x).Dispose();
        quantization.merge_observers(prepared, shard);
        Assert.Contains("skip was called 2 times", Assert.Throws<ModuleReplacementException>(() => quantization.convert(prepared)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Models_that_do_not_fit_are_refused_and_nothing_is_merged()
    {
        using var prepared = Prepared(quantization.default_qconfig);
        using var other = Prepared(quantization.get_default_qconfig());
        using var plain = new Residual();
        prepared.call(_x).Dispose();
        other.call(_x).Dispose();
        var before = ModelSnapshot.Of(prepared);
        Refused(() => quantization.merge_observers(prepared, other), "fc1.activation_post_process is MinMaxObserver", "and HistogramObserver", "in the shard", "the model is unchanged");
        Refused(() => quantization.merge_observers(prepared, plain), "fc1 is observed in the model only");
        Refused(() => quantization.merge_observers(plain, new Residual()), "neither holds an observer");
        Refused(() => quantization.merge_observers(prepared, prepared), "cannot be merged with itself");
        Assert.Equal(before, ModelSnapshot.Of(prepared));
        Assert.Equal(1, ((IObserved)prepared.skip).Calibration!.Calls);
    }

    private static void Refused(Action action, params string[] words)
    {
        var e = Assert.Throws<ArgumentException>(action);
        Assert.All(words, word => Assert.Contains(word, e.Message, StringComparison.Ordinal));
    }

    private static Residual Prepared(QConfig qconfig)
    {
        var model = new Residual();
        model.eval();
        return quantization.prepare(model, qconfig, inplace: true);
    }
}
