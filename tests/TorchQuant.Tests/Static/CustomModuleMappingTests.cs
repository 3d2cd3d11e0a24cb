using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Static;

/// <summary>Modules that are quantized in a way of their own: replaced at prepare and again at convert.</summary>
public sealed class CustomModuleMappingTests : IDisposable
{
    private static readonly QConfig s_qconfig = quantization.get_default_qconfig();
    private readonly Tensor _x = randn(16, 6, generator: new Generator(1));

    public void Dispose() => _x.Dispose();

    [Fact]
    public void A_custom_module_is_observed_part_by_part_and_converted_by_its_row()
    {
        var mapping = Mapping((observed, conversion) => new Int8Twice(conversion.Convert<QuantizedLinear>(observed.fc), conversion.Convert<QFunctional>(observed.sum), conversion.Path));
        using var model = Model(new Twice());
        using var prepared = quantization.prepare(model, s_qconfig, custom_mapping: mapping);
        var observed = Assert.IsType<ObservableTwice>(Block(prepared));
        Assert.Equal("block.fc", ((IObserved)observed.fc).Calibration!.Path);
        Assert.Equal("block.sum", ((IObserved)observed.sum).Calibration!.Path);
        Assert.Same(s_qconfig, observed.qconfig);
        prepared.call(_x).Dispose();
        using var int8 = quantization.convert(prepared, custom_mapping: mapping);
        var made = Assert.IsType<Int8Twice>(Block(int8));
        Assert.Equal("block", made.Path);
        Assert.Equal("block.fc", made.fc.Path);
        Assert.IsType<ObservedModule>(observed.fc); // the prepared model is as it was
        Close(model, int8);
    }

    [Fact]
    public void Without_from_observed_the_module_stays_and_its_parts_become_int8()
    {
        var mapping = Mapping(null);
        using var model = Model(new Twice());
        using var prepared = quantization.prepare(model, s_qconfig, custom_mapping: mapping);
        prepared.call(_x).Dispose();
        using var int8 = quantization.convert(prepared, custom_mapping: mapping); // fc is called twice in a pass, which a custom module may do
        var made = Assert.IsType<ObservableTwice>(Block(int8));
        Assert.IsType<QuantizedLinear>(made.fc);
        Close(model, int8);
    }

    [Fact]
    public void A_reference_keeps_the_observed_form_with_parts_that_compute_in_float()
    {
        var mapping = Mapping((observed, conversion) => new Int8Twice(conversion.Convert<QuantizedLinear>(observed.fc), conversion.Convert<QFunctional>(observed.sum), conversion.Path));
        using var prepared = quantization.prepare(Model(new Twice()), s_qconfig, inplace: true, custom_mapping: mapping);
        prepared.call(_x).Dispose();
        using var int8 = quantization.convert(prepared, custom_mapping: mapping);
        using var reference = quantization.convert(prepared, is_reference: true, custom_mapping: mapping);
        Assert.IsType<ReferenceModule>(Assert.IsType<ObservableTwice>(Block(reference)).fc);
        using var scope = NewDisposeScope();
        Assert.InRange((int8.call(_x) - reference.call(_x)).abs().max().item<float>(), 0, 4 * ((Int8Twice)Block(int8)).sum.scale);
    }

    [Fact]
    public void A_float_model_may_hold_the_observed_form_itself()
    {
        var mapping = Mapping(null);
        using var model = Model(new ObservableTwice(nn.Linear(6, 6)));
        using var prepared = quantization.prepare(model, s_qconfig, custom_mapping: mapping);
        prepared.call(_x).Dispose();
        using var int8 = quantization.convert(prepared, custom_mapping: mapping);
        Assert.IsType<QuantizedLinear>(((ObservableTwice)Block(int8)).fc);
    }

    [Fact]
    public void The_output_of_the_whole_is_observed_where_the_row_says_so()
    {
        float found = 0;
        var mapping = CustomModuleMapping.Default.Add<Twice, ObservableTwice>(static (m, _, _) => new ObservableTwice(m.fc), (observed, conversion) =>
        {
            found = conversion.Output.Scale;
            return new Int8Twice(conversion.Convert<QuantizedLinear>(observed.fc), conversion.Convert<QFunctional>(observed.sum), conversion.Path);
        }, observe_output: true);
        using var prepared = quantization.prepare(Model(new Twice()), s_qconfig, inplace: true, custom_mapping: mapping);
        Assert.IsType<ObservableTwice>(Assert.IsType<ObservedModule>(Block(prepared)).module);
        prepared.call(_x).Dispose();
        using var int8 = quantization.convert(prepared, inplace: true, custom_mapping: mapping);
        Assert.Equal(((Int8Twice)Block(int8)).sum.scale, found);
        Assert.Throws<ArgumentException>(() => CustomModuleMapping.Default.Add<Twice, ObservableTwice>(static (m, _, _) => new ObservableTwice(m.fc), observe_output: true));
    }

    [Fact]
    public void A_part_that_cannot_be_converted_is_named()
    {
        var mapping = Mapping(static (observed, conversion) => conversion.Convert(observed.relu));
        using var prepared = quantization.prepare(Model(new Twice()), s_qconfig, inplace: true, custom_mapping: mapping);
        prepared.call(_x).Dispose();
        var before = ModelSnapshot.Of(prepared);
        var e = Assert.Throws<ModuleReplacementException>(() => quantization.convert(prepared, inplace: true, custom_mapping: mapping));
        Assert.Contains("block: a ReLU in it is not observed", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, ModelSnapshot.Of(prepared));
    }

    private static CustomModuleMapping Mapping(Func<ObservableTwice, StaticConversion, nn.Module>? fromObserved) =>
        CustomModuleMapping.Default.Add(static (Twice m, QConfig _, string _) => new ObservableTwice(m.fc), fromObserved);

    private static Sequential Model(nn.Module<Tensor, Tensor> block)
    {
        var model = nn.Sequential(("quant", new QuantStub()), ("block", block), ("dequant", new DeQuantStub()));
        model.eval();
        return model;
    }

    private static nn.Module Block(nn.Module model) => model.named_children().Single(c => c.name == "block").module;

    private void Close(nn.Module<Tensor, Tensor> model, nn.Module<Tensor, Tensor> int8)
    {
        using var scope = NewDisposeScope();
        Assert.InRange((model.call(_x) - int8.call(_x)).abs().max().item<float>(), 1e-6f, 0.2f);
    }

    /// <summary>fc(fc(x)) + x, in float only: the sum cannot be observed.</summary>
    private sealed class Twice : nn.Module<Tensor, Tensor>
    {
        public readonly nn.Module<Tensor, Tensor> fc = nn.Linear(6, 6);

        public Twice() : base(nameof(Twice)) => RegisterComponents();

        public override Tensor forward(Tensor input) => fc.call(fc.call(input)) + input;
    }

    private sealed class ObservableTwice : nn.Module<Tensor, Tensor>
    {
        public readonly nn.Module<Tensor, Tensor> fc;
        public readonly nn.Module<Tensor, Tensor> relu = nn.ReLU();
        public readonly FloatFunctional sum = new();

        public ObservableTwice(nn.Module<Tensor, Tensor> fc) : base(nameof(ObservableTwice))
        {
            this.fc = fc;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => sum.add(fc.call(fc.call(input)), input);
    }

    private sealed class Int8Twice : nn.Module<Tensor, Tensor>
    {
        public readonly QuantizedLinear fc;
        public readonly QFunctional sum;

        public Int8Twice(QuantizedLinear fc, QFunctional sum, string path) : base(nameof(Int8Twice))
        {
            (this.fc, this.sum, Path) = (fc, sum, path);
            RegisterComponents();
        }

        public string Path { get; }

        public override Tensor forward(Tensor input) => sum.add(fc.call(fc.call(input)), input);
    }
}
