using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Static;

/// <summary>What prepare refuses, in which words, and that the model is what it was afterwards.</summary>
public class PrepareErrorTests
{
    private static readonly QConfig s_qconfig = quantization.get_default_qconfig();

    public static TheoryData<string, QConfig, string> ForeignObservers => new()
    {
        { "qint8", quantization.default_symmetric_qnnpack_qconfig, "has dtype qint8" },
        { "float16", quantization.float16_static_qconfig, "has dtype float16" },
        { "dynamic", quantization.default_dynamic_qconfig, "is one of dynamic quantization" },
        { "per channel", new QConfig(PerChannelMinMaxObserver.with_args(), s_qconfig.weight), "has per_channel_affine, and an activation has one scale" },
    };

    [Fact]
    public void A_model_without_a_qconfig_is_refused() =>
        Refused<ArgumentException>(Eval(new Residual()), model => quantization.prepare(model, inplace: true), "No module of the model has a qconfig", "model.qconfig = quantization.get_default_qconfig()");

    [Fact]
    public void A_prepared_model_is_not_prepared_again() =>
        Refused<ArgumentException>(quantization.prepare(Eval(new Residual()), s_qconfig, inplace: true), model => quantization.prepare(model, s_qconfig, inplace: true), "quant is prepared already");

    [Fact]
    public void A_converted_model_is_not_prepared()
    {
        var prepared = quantization.prepare(Eval(new Residual()), s_qconfig, inplace: true);
        using var x = randn(4, 6);
        prepared.call(x).Dispose();
        Refused<ArgumentException>(quantization.convert(prepared, inplace: true), model => quantization.prepare(model, s_qconfig, inplace: true), "quant is converted already (Quantize)", "prepare takes the float model");
    }

    [Fact]
    public void Batch_norms_and_dropouts_that_train_are_refused()
    {
        var model = nn.Sequential(("fc", nn.Linear(6, 4)), ("norm", nn.BatchNorm1d(4)), ("drop", nn.Dropout()));
        Refused<ArgumentException>(model, m => quantization.prepare(m, s_qconfig, inplace: true), "norm (BatchNorm1d), drop (Dropout): in training mode", "call model.eval() before prepare");
    }

    [Theory]
    [MemberData(nameof(ForeignObservers), DisableDiscoveryEnumeration = true)]
    public void Activation_observers_that_are_not_quint8_with_one_scale_are_refused_all_at_once(string name, QConfig qconfig, string found)
    {
        Assert.NotEmpty(name);
        var e = Refused<ModuleReplacementException>(Eval(new Residual()), model => quantization.prepare(model, qconfig, inplace: true), found, "use quantization.get_default_qconfig()");
        Assert.Equal(["quant", "fc1", "fc2", "skip"], e.Refusals.Select(r => r.Split(':')[0]));
    }

    [Fact]
    public void An_embedding_needs_float_qparams()
    {
        static Sequential Make() => Eval(nn.Sequential(("words", nn.Embedding(10, 8)), ("fc", nn.Linear(8, 4))));
        Refused<ModuleReplacementException>(Make(), m => quantization.prepare(m, s_qconfig, inplace: true), "words (Embedding): its qconfig has the weight observer PerChannelMinMaxObserver",
            "model.words.qconfig = quantization.float_qparams_weight_only_qconfig, or null to leave it float");
        using var prepared = quantization.prepare(Make(), new QConfigSpec { [""] = s_qconfig, [typeof(Embedding)] = quantization.float_qparams_weight_only_qconfig });
        using var left = quantization.prepare(Make(), new QConfigSpec { [""] = s_qconfig, [typeof(Embedding)] = null });
        Assert.NotNull(prepared.named_modules().Single(m => m.name == "words").module.qconfig);
        Assert.Null(left.named_modules().Single(m => m.name == "words").module.qconfig);
    }

    [Fact]
    public void A_field_of_a_sealed_type_is_refused_with_the_type_to_declare()
    {
        var e = Refused<ModuleReplacementException>(Eval(new Declared()), model => quantization.prepare(model, s_qconfig, inplace: true),
            "fc1: Declared.fc1 is declared Linear and cannot hold ObservedModule; declare it Module<Tensor, Tensor>");
        Assert.Equal(2, e.Refusals.Count);
    }

    [Fact]
    public void NaN_in_the_calibration_data_names_the_module()
    {
        using var prepared = quantization.prepare(Eval(new Residual()), s_qconfig, inplace: true);
        using var x = full(4, 6, float.NaN);
        var e = Assert.Throws<ArgumentException>(() => prepared.call(x));
        Assert.Contains("quant (QuantStub): its output was observed, and", e.Message, StringComparison.Ordinal);
    }

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
