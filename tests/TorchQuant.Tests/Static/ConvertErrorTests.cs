using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Static;

/// <summary>What convert refuses, in which words, and that the model is what it was afterwards.</summary>
public sealed class ConvertErrorTests : IDisposable
{
    private static readonly QConfig s_qconfig = quantization.get_default_qconfig();
    private readonly Tensor _x = randn(16, 6, generator: new Generator(1));

    public void Dispose() => _x.Dispose();

    [Fact]
    public void A_model_that_is_not_prepared_or_is_converted_is_refused()
    {
        Refused<ArgumentException>(new Residual(), m => quantization.convert(m, inplace: true), "The model is not prepared: call quantization.prepare");
        Refused<ArgumentException>(quantization.convert(Calibrated(new Residual()), inplace: true), m => quantization.convert(m, inplace: true), "The model is converted already");
    }

    [Fact]
    public void A_model_that_has_not_run_is_refused_with_one_message()
    {
        var e = Refused<ArgumentException>(Prepared(new Residual()), m => quantization.convert(m, inplace: true), "The prepared model has not run: none of its 4 observers has seen anything", "prepared.call(batch)");
        Assert.DoesNotContain("fc1", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Modules_that_were_not_called_are_refused_all_at_once()
    {
        var e = Refused<ModuleReplacementException>(Calibrated(new Heads()), m => quantization.convert(m, inplace: true),
            "left was not called while the prepared model ran on data", "right was not called", "set its qconfig to null before prepare");
        Assert.Equal(2, e.Refusals.Count);
    }

    [Fact]
    public void Modules_of_an_unused_branch_stay_float_if_their_qconfig_is_null()
    {
        var model = new Heads();
        model.left.qconfig = null;
        model.right.qconfig = null;
        using var int8 = quantization.convert(Calibrated(model), inplace: true);
        Assert.IsType<QuantizedLinear>(int8.used);
        Assert.IsType<Linear>(int8.left);
    }

    [Fact]
    public void A_FloatFunctional_for_two_operations_is_refused_and_allow_reuse_lets_it_pass()
    {
        var model = Calibrated(new Residual { Join = static (net, x, y) => net.skip.add(net.skip.add(x, y), x) });
        Refused<ModuleReplacementException>(model, m => quantization.convert(m, inplace: true), "skip was called 2 times in one forward pass, and has one scale", "a FloatFunctional for each operation", "allow_reuse: true");
        using var int8 = quantization.convert(Calibrated(new Residual { Join = static (net, x, y) => net.skip.add(net.skip.add(x, y), x) }), inplace: true, allow_reuse: true);
        Assert.IsType<QFunctional>(int8.skip);
    }

    [Fact]
    public void A_layer_that_is_shared_is_refused_also_where_the_model_runs_by_forward()
    {
        var model = Prepared(new Residual { Join = static (net, x, y) => net.skip.add(net.fc1.call(x), y) });
        for (var i = 0; i < 3; i++)
            model.forward(_x).Dispose();
        Refused<ModuleReplacementException>(model, m => quantization.convert(m, inplace: true), "fc1 was called 2 times in one forward pass");
    }

    [Fact]
    public void Many_passes_by_call_and_by_forward_count_as_one_call_each()
    {
        var model = Prepared(new Residual());
        for (var i = 0; i < 3; i++)
        {
            model.call(_x).Dispose();
            model.forward(_x).Dispose();
        }
        using var int8 = quantization.convert(model, inplace: true);
        Assert.IsType<QFunctional>(int8.skip);
    }

    [Fact]
    public void Copies_count_their_own_calls_on_their_own_threads()
    {
        using var prepared = Prepared(new Residual());
        var copies = Enumerable.Range(0, 4).Select(_ => ModuleTree.Copy(prepared)).ToArray();
        Parallel.ForEach(copies, copy =>
        {
            for (var i = 0; i < 20; i++)
                copy.call(_x).Dispose();
        });
        Assert.All(copies, copy => Assert.Equal((20, 1), (((IObserved)copy.skip).Calibration!.Calls, ((IObserved)copy.skip).Calibration!.MostCallsInPass)));
        Assert.Equal(0, ((IObserved)prepared.skip).Calibration!.Calls);
        foreach (var copy in copies)
            quantization.convert(copy, inplace: true).Dispose();
    }

    [Fact]
    public void A_qconfig_set_after_prepare_is_refused()
    {
        var model = Calibrated(new Residual());
        model.fc2.qconfig = quantization.default_qconfig;
        Refused<ModuleReplacementException>(model, m => quantization.convert(m, inplace: true), "fc2 (ObservedModule): its qconfig was set after prepare", "quant_max=127", "prepare the float model again");

        model = Calibrated(new Residual());
        model.qconfig = quantization.default_qconfig;
        Refused<ArgumentException>(model, m => quantization.convert(m, inplace: true), "The model: its qconfig was set after prepare");

        var left = new Residual();
        left.fc2.qconfig = null;
        left.Join = static (net, x, y) => x;
        left = Calibrated(left);
        left.fc2.qconfig = s_qconfig;
        Refused<ModuleReplacementException>(left, m => quantization.convert(m, inplace: true), "fc2 (Linear): its qconfig was set after prepare: it is now QConfig", "prepare used null");
    }

    [Fact]
    public void A_qconfig_with_the_same_settings_is_no_change()
    {
        var model = Calibrated(new Residual());
        model.fc2.qconfig = new QConfig(HistogramObserver.with_args(), PerChannelMinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_channel_symmetric));
        quantization.convert(model, inplace: true).Dispose();
    }

    [Fact]
    public void A_module_that_came_in_after_prepare_is_refused()
    {
        var model = Calibrated(new Residual());
        ModuleTree.Replace(model, (path, _) => path == "fc2" ? nn.Linear(6, 6) : null);
        Refused<ModuleReplacementException>(model, m => quantization.convert(m, inplace: true), "fc2 (Linear) came into the model after prepare", "prepare it again");
    }

    [Fact]
    public void A_batch_norm_that_follows_a_layer_is_refused_with_the_call_that_fuses_it()
    {
        Refused<ModuleReplacementException>(Calibrated(new Normed()), m => quantization.convert(m, inplace: true),
            "norm follows fc and is not fused with it", "model = quantization.fuse_modules(model, [[\"fc\", \"norm\"]])", "allow_unfused: true");
        var fused = quantization.fuse_modules(Eval(new Normed()), ["fc", "norm"], inplace: true);
        quantization.convert(Calibrated(fused), inplace: true).Dispose();
    }

    [Fact]
    public void A_batch_norm_without_an_int8_form_is_refused_when_the_converted_model_runs()
    {
        var without = StaticModuleMapping.Default;
        without.Remove(typeof(BatchNorm1d));
        var prepared = quantization.prepare(Eval(new Normed()), s_qconfig, inplace: true, without);
        prepared.call(_x).Dispose();
        Refused<ConvertedModelException>(prepared, m => quantization.convert(m, without, inplace: true, allow_unfused: true), "native_batch_norm", "a batch norm stayed float: fuse it", "Normed.forward");
    }

    [Fact]
    public void A_batch_norm_fused_with_its_activation_alone_is_refused_too()
    {
        // A Linear on the width of images gives what a BatchNorm2d takes.
        var model = Eval(nn.Sequential(("quant", new QuantStub()), ("fc", nn.Linear(6, 4)), ("norm", nn.BatchNorm2d(3)), ("relu", nn.ReLU())));
        quantization.fuse_modules(model, ["norm", "relu"], inplace: true);
        using var x = randn(2, 3, 5, 6);
        var prepared = quantization.prepare(model, s_qconfig, inplace: true);
        prepared.call(x).Dispose();
        Refused<ModuleReplacementException>(prepared, m => quantization.convert(m, inplace: true), "norm follows fc and is fused with its activation only", "[\"fc\", \"norm\", ...]");
    }

    [Fact]
    public void An_embedding_alone_is_prepared_and_converted()
    {
        using var model = Eval(nn.Sequential(("words", nn.Embedding(10, 8))));
        model.qconfig = quantization.float_qparams_weight_only_qconfig;
        using var int8 = quantization.convert(quantization.prepare(model));
        Assert.IsType<QuantizedEmbedding>(int8.children().Single());
    }

    [Fact]
    public void A_batch_norm_may_stay_unfused_if_that_is_allowed()
    {
        using var int8 = quantization.convert(Calibrated(new Normed()), inplace: true, allow_unfused: true);
        Assert.IsNotType<BatchNorm1d>(int8.norm);
        int8.call(_x).Dispose();
    }

    [Fact]
    public void Another_mapping_than_that_of_prepare_is_refused()
    {
        var without = StaticModuleMapping.Default;
        without.Remove(typeof(Linear));
        Refused<ModuleReplacementException>(Calibrated(new Residual()), m => quantization.convert(m, without, inplace: true), "fc1: prepare observed it, and the mapping has no row for Linear");
    }

    [Fact]
    public void A_FloatFunctional_for_numbers_only_needs_no_observer()
    {
        using var int8 = quantization.convert(Calibrated(new Residual { Join = static (net, x, y) => net.skip.add_scalar(net.skip.mul_scalar(y, 0.5), 1) }), inplace: true);
        var functional = Assert.IsType<QFunctional>(int8.skip);
        Assert.Equal((1f, 0), (functional.scale, functional.zero_point));
        using var y = int8.call(_x);
        Assert.Equal([16L, 6], y.shape);
    }

    [Fact]
    public void A_refused_copy_leaves_the_prepared_model_as_it_was() =>
        Refused<ModuleReplacementException>(Calibrated(new Heads()), m => quantization.convert(m), "left was not called");

    private T Calibrated<T>(T model) where T : nn.Module<Tensor, Tensor>
    {
        var prepared = Prepared(model);
        prepared.call(_x).Dispose();
        return prepared;
    }

    private static T Prepared<T>(T model) where T : nn.Module => quantization.prepare(Eval(model), s_qconfig, inplace: true);

    private static T Eval<T>(T model) where T : nn.Module
    {
        model.eval();
        return model;
    }

    private static TException Refused<TException>(nn.Module model, Action<nn.Module> action, params string[] words) where TException : Exception
    {
        using (model)
        {
            var before = ModelSnapshot.Of(model);
            var e = Assert.Throws<TException>(() => action(model));
            Assert.All(words, word => Assert.Contains(word, e.Message, StringComparison.Ordinal));
            Assert.Equal(before, ModelSnapshot.Of(model));
            return e;
        }
    }
}
