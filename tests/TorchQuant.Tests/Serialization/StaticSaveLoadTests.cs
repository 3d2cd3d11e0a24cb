using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Serialization;

/// <summary>Files of statically quantized models, loaded into models of the class that was saved in any state.</summary>
public sealed class StaticSaveLoadTests : IDisposable
{
    private readonly Tensor _x = randn(16, 6, generator: new Generator(1));
    private readonly MemoryStream _file = new();
    private readonly float[] _expected;

    public StaticSaveLoadTests()
    {
        using var scope = NewDisposeScope();
        using var int8 = quantization.convert(Calibrated(Fused(new Net())), inplace: true);
        _expected = int8.call(_x).data<float>().ToArray();
        quantization.save(int8, _file);
    }

    public static TheoryData<string> States => new("float", "fused", "prepared", "calibrated", "converted");

    public void Dispose()
    {
        _x.Dispose();
        _file.Dispose();
    }

    [Theory]
    [MemberData(nameof(States))]
    public void A_model_in_any_state_becomes_the_model_that_was_saved(string state)
    {
        var target = state switch
        {
            "float" => new Net(),
            "fused" => Fused(new Net()),
            "prepared" => Prepared(Fused(new Net())),
            "calibrated" => Calibrated(Fused(new Net())),
            _ => quantization.convert(Calibrated(Fused(new Net())), inplace: true),
        };
        using var loaded = Load(target);
        AssertSame(loaded);
        using var again = Load(target, inplace: true);
        Assert.Same(target, again);
        AssertSame(again);
    }

    [Fact]
    public void Modules_that_were_fused_away_are_no_longer_computed()
    {
        using var loaded = Load(new Net());
        Assert.IsType<Identity>(loaded.norm);
        Assert.IsType<Identity>(loaded.relu);
        Assert.IsType<LayerNorm>(loaded.after);
        Assert.DoesNotContain(loaded.state_dict().Keys, key => key.StartsWith("norm", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_without_the_list_of_what_was_fused_away_still_loads_into_a_fused_model()
    {
        _file.Position = 0;
        using var content = SafeTensors.Read(_file);
        using var old = new MemoryStream();
        SafeTensors.Write(old, content.Tensors, content.Metadata.Where(entry => entry.Key != "identity").ToDictionary());
        old.Position = 0;
        using var loaded = quantization.load(Fused(new Net()), old);
        AssertSame(loaded);
        old.Position = 0;
        using var fresh = new Net();
        var e = Assert.Throws<QuantizedFileException>(() => quantization.load(fresh, old));
        Assert.Contains("norm.weight: the model has Float32 [5] there and the file no tensor", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_module_that_was_fused_away_and_is_not_in_the_model_is_named()
    {
        _file.Position = 0;
        using var other = nn.Sequential(("quant", new QuantStub()), ("fc1", nn.Linear(6, 5)), ("fc2", nn.Linear(5, 4)), ("after", nn.LayerNorm(4)), ("dequant", new DeQuantStub()), ("skip", nn.Identity()));
        var e = Assert.Throws<QuantizedFileException>(() => quantization.load(other, _file));
        Assert.Contains("norm: the file has an Identity there and the model no module", e.Message, StringComparison.Ordinal);
    }

    private static Net Fused(Net model)
    {
        model.eval();
        return quantization.fuse_modules(quantization.fuse_modules(model, ["fc1", "norm"], inplace: true), ["fc1", "relu"], inplace: true);
    }

    private static Net Prepared(Net model) => quantization.prepare(model, quantization.get_default_qconfig(), inplace: true);

    private Net Calibrated(Net model)
    {
        Prepared(model).call(_x).Dispose();
        return model;
    }

    private Net Load(Net model, bool inplace = false)
    {
        _file.Position = 0;
        return quantization.load(model, _file, inplace);
    }

    private void AssertSame(Net loaded)
    {
        using var actual = loaded.call(_x);
        Assert.Equal(_expected, actual.data<float>().ToArray());
        Assert.IsType<QuantizedLinear>(loaded.fc1);
        Assert.EndsWith("hooks=0 qconfig=unset", Static.ModelSnapshot.Of(loaded)[0].Replace($"qconfig={quantization.get_default_qconfig()}", "qconfig=unset", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private sealed class Net : nn.Module<Tensor, Tensor>
    {
        private readonly QuantStub quant = new();
        public readonly nn.Module<Tensor, Tensor> fc1 = nn.Linear(6, 5, hasBias: false);
        public readonly nn.Module<Tensor, Tensor> norm = nn.BatchNorm1d(5);
        public readonly nn.Module<Tensor, Tensor> relu = nn.ReLU();
        private readonly nn.Module<Tensor, Tensor> fc2 = nn.Linear(5, 4);
        private readonly FloatFunctional skip = new();
        private readonly DeQuantStub dequant = new();
        public readonly nn.Module<Tensor, Tensor> after = nn.LayerNorm(4);

        public Net() : base(nameof(Net))
        {
            RegisterComponents();
            after.qconfig = null;
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var y = fc2.call(relu.call(norm.call(fc1.call(quant.call(input)))));
            return after.call(dequant.call(skip.add(y, y))).MoveToOuterDisposeScope();
        }
    }
}
