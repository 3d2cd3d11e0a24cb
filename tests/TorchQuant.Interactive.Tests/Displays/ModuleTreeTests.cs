using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Interactive.Tests.Displays;

[Collection("torch")]
public class ModuleTreeTests
{
    [Fact]
    public void A_quantized_model_tells_scales_zero_points_and_what_was_folded()
    {
        using var model = nn.Sequential(("quant", new QuantStub()), ("conv", nn.Conv2d(1, 4, 3)), ("bn", nn.BatchNorm2d(4)), ("relu", nn.ReLU()), ("dequant", new DeQuantStub()));
        model.eval();
        random.manual_seed(1);
        using var fused = quantization.fuse_modules(model, [["conv", "bn", "relu"]]);
        using var prepared = quantization.prepare(fused, quantization.get_default_qconfig());
        using (var image = rand(2, 1, 8, 8))
            prepared.call(image).Dispose();
        using var int8 = quantization.convert(prepared);

        var tree = Display.Compare(model, int8);
        Assert.Equal(["output scale", "zero point", "weight scales"], tree.Columns.TakeLast(3).Select(column => column.Name));
        var rows = tree.Rows.ToDictionary(row => row[0]!.ToString()!.TrimStart('├', '└', '─', ' '), row => row);
        Assert.Equal("folded into the layer before", rows["bn"][3]!.ToString());
        Assert.Equal("folded into the layer before", rows["relu"][3]!.ToString());
        var conv = rows["conv"];
        Assert.StartsWith("QuantizedConvReLU2d(1, 4, kernel_size=(3, 3), stride=(1, 1)", conv[3]!.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("scale", conv[3]!.ToString(), StringComparison.Ordinal);
        Assert.Matches(@"^0\.\d+$", Assert.IsType<string>(conv[6]));
        Assert.Equal("0", conv[7]);
        Assert.EndsWith("(4)", Assert.IsType<string>(conv[8]), StringComparison.Ordinal);
        Assert.NotNull(rows["quant"][6]);
        Assert.Null(rows["dequant"][6]);
        Assert.Equal(8, Display.Of(int8).Columns.Count);
        Assert.Equal(5, Display.Of(model).Columns.Count);
        using var linear = nn.Sequential(("fc", nn.Linear(2, 3)));
        using var dynamic = quantization.quantize_dynamic(linear, [typeof(TorchSharp.Modules.Linear)]);
        Assert.Equal("weight scales", Assert.Single(Display.Of(dynamic).Columns.Skip(5)).Name);
    }

    [Fact]
    public void Errors_by_layer_are_a_table_and_bars()
    {
        var errors = new LayerErrors([new LayerError("conv", "Conv2d", "QuantizedConv2d", 10, 100, 1, 5), new LayerError("fc", "Linear", "QuantizedLinear", 10, 100, 0, 0)]);
        var text = Display.Of(errors).ToText();
        Assert.Contains("20.0", text, StringComparison.Ordinal);
        Assert.Contains("∞", text, StringComparison.Ordinal);
        Assert.Contains("0.5", text, StringComparison.Ordinal);
        Assert.Equal([20, double.PositiveInfinity], Assert.Single(Display.ErrorChart(errors).Series).Values);
    }
}
