using TorchQuant.Interactive.Tests.Charts;
using TorchQuant.Interactive.Tests.Tables;
using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Interactive.Tests.Displays;

[Collection("torch")]
public class DisplayTests
{
    private sealed class Language : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Embedding encoder = nn.Embedding(10, 4);
        private readonly TorchSharp.Modules.Sequential head = nn.Sequential(("lift", nn.Linear(4, 8)), ("act", nn.ReLU()), ("drop", nn.Linear(8, 10)));

        public Language() : base("<script>") => RegisterComponents();

        public override Tensor forward(Tensor input) => head.call(encoder.call(input));
    }

    [Fact]
    public void A_model_is_a_tree_with_types_numbers_and_bytes()
    {
        using var model = new Language();
        var rows = Display.Of(model, "model").ToText().Split('\n');
        string[] starts = ["(model)     Language", "├─ encoder  Embedding", "└─ head     Sequential", "   ├─ lift  Linear", "   ├─ act   ReLU", "   └─ drop  Linear"];
        for (var i = 0; i < starts.Length; i++) Assert.StartsWith(starts[i], rows[i + 3], StringComparison.Ordinal);
        Assert.Contains("weight 8×4, bias 8", rows[6], StringComparison.Ordinal);
        // 10 x 4 + 4 x 8 + 8 + 8 x 10 + 10 numbers in all.
        Assert.Contains(" 170 ", rows[3], StringComparison.Ordinal);
    }

    [Fact]
    public void Two_models_are_one_tree_with_ratios()
    {
        using var before = new Language();
        using var after = nn.Sequential(("encoder", nn.Embedding(10, 2)));
        var text = Display.Compare(before, after).ToText();
        Assert.Contains("├─ encoder  Embedding", text, StringComparison.Ordinal);
        Assert.Contains("50.0", text, StringComparison.Ordinal);
        Assert.Contains("   └─ drop  Linear", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Quantized_modules_tell_what_they_hold_and_have_their_colour()
    {
        using var before = nn.ModuleList(nn.LSTM(8, 16));
        using var after = nn.ModuleList(DynamicQuantizedLSTM.from_float(before[0], quantization.get_default_dynamic_qconfig("native")));
        var tree = Display.Of(after);
        Assert.Contains("DynamicQuantizedLSTM", tree.ToText(), StringComparison.Ordinal);
        Assert.Contains("8, 16", tree.ToText(), StringComparison.Ordinal);
        Assert.Contains($"background:{Palette.Int8}", tree.ToHtml(), StringComparison.Ordinal);
        var compared = Display.Compare(before, after);
        Assert.Contains("DynamicQuantizedLSTM(8, 16", compared.ToText(), StringComparison.Ordinal);
        var (floats, codes) = ((double)compared.Rows[^1][2]!, (double)compared.Rows[^1][4]!);
        // 4 x 16 rows of 8 + 16 weights and two biases, 4 bytes each; then 1 byte each, float biases, a scale and a zero point per row and matrix.
        Assert.Equal(64 * (8 + 16 + 2) * 4 / 1e3, floats, 12);
        Assert.InRange(codes, 64 * (8 + 16 + 2 * 4) / 1e3, 64 * (8 + 16 + 2 * 4 + 2 * 8) / 1e3 + 1e-9);
    }

    [Fact]
    public void What_a_module_holds_keeps_the_parentheses_in_it()
    {
        using var model = nn.Sequential(("quant", new QuantStub()), ("conv", nn.Conv2d(1, 2, 3, padding: 1)));
        model.eval();
        using var prepared = quantization.prepare(model, quantization.get_default_qconfig());
        using (var image = rand(1, 1, 4, 4))
            prepared.call(image).Dispose();
        using var int8 = quantization.convert(prepared);
        Assert.EndsWith("padding=(1, 1)", (string)Display.Of(int8).Rows[^1][2]!, StringComparison.Ordinal);
    }

    [Fact]
    public void Sizes_are_tables_with_totals_and_charts_by_module()
    {
        using var model = new Language();
        var size = ModelSize.Of(model);
        Assert.Contains("head.lift", Display.Of(size).ToText(), StringComparison.Ordinal);
        var table = Display.Of(new SizeComparison(size, size));
        Assert.True(table.HasTotal);
        Assert.Equal("total", table.Rows[^1][0]);
        var chart = Display.SizeChart("Size", [("float", size), ("int8", size)]);
        Assert.Equal(["encoder", "head"], chart.Series.Select(series => series.Name));
        Assert.Equal(size.TotalBytes / 1e3, chart.Series.Sum(series => series.Values[0]), 9);
        Assert.Equal(new Axis("size", "kB"), chart.Value);
        var large = new ModelSize([new ModuleSize("", "Linear", 500_000, 2_000_000)]);
        Assert.Equal("MB", Display.SizeChart("Size", [("float", large)]).Value.Unit);
        Assert.Contains("2.00", Display.Of(large).ToText(), StringComparison.Ordinal);
        Assert.Equal(["encoder", "head.lift", "head.drop"], Display.SizeChart("Size", [("float", size)], depth: 2).Series.Select(series => series.Name));
        var grouped = Display.SizeChart(new SizeComparison(size, size));
        Assert.Equal(["float", "int8"], grouped.Series.Select(series => series.Name));
    }

    [Fact]
    public void Timings_are_tables_and_bars_with_their_middle_half()
    {
        var machine = new TimingMachine("cpu", "avx2", 1, ".NET");
        var comparison = new TimingComparison([new Timing("float", [8, 9, 10, 11, 12]), new Timing("int8", [2, 2, 2.5, 3, 3])], machine);
        var text = Display.Of(comparison).ToText();
        Assert.Contains("10.000", text, StringComparison.Ordinal);
        Assert.Contains("2.500 *", text, StringComparison.Ordinal);
        Assert.Contains("4.00", text, StringComparison.Ordinal);
        Assert.Contains("ISA avx2", text, StringComparison.Ordinal);
        var series = Assert.Single(Display.TimeChart(comparison).Series);
        Assert.Equal([10, 2.5], series.Values);
        Assert.Equal([9, 2], series.Low!);
        Assert.StartsWith("Median of 5 runs;", Display.TimeChart(comparison).Caption, StringComparison.Ordinal);
        Assert.Equal([11, 3], series.High!);
        Assert.Contains("9.000 to 11.000", Display.Of(comparison.Baseline).ToText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Tensors_tell_shape_type_range_and_first_values()
    {
        using var floats = tensor(new[] { 1f, float.NaN, 3f });
        Assert.Contains("1, 2, 3", Display.Of(floats).ToText(), StringComparison.Ordinal);
        Assert.Contains("1, NaN, 3", Display.Of(floats).ToText(), StringComparison.Ordinal);
        Assert.Contains("not finite", Display.Of(floats).ToText(), StringComparison.Ordinal);
        using var longs = arange(100);
        Assert.Contains("0, 49.5, 99", Display.Of(longs).ToText(), StringComparison.Ordinal);
        Assert.Contains("6, 7, …", Display.Of(longs).ToText(), StringComparison.Ordinal);
        using var empty = zeros(0, 3);
        Assert.Contains("0 × 3", Display.Of(empty).ToText(), StringComparison.Ordinal);
        using var scalar = tensor(2.5);
        Assert.Contains("scalar", Display.Of(scalar).ToText(), StringComparison.Ordinal);
        using var flags = tensor(new[] { true, false });
        Assert.Contains("Bool", Display.Of(flags).ToText(), StringComparison.Ordinal);
        using var grown = rand(3, requires_grad: true);
        Assert.Contains("first values", Display.Of(grown).ToText(), StringComparison.Ordinal);
        var gone = zeros(1);
        gone.Dispose();
        Assert.Contains("disposed", Display.Of(gone).ToText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Looking_at_a_tensor_or_a_model_leaves_no_tensor_behind()
    {
        using var model = new Language();
        using var values = rand(5, 5);
        var before = Tensor.TotalCount;
        for (var i = 0; i < 20; i++)
        {
            Assert.NotEmpty(Display.Of(values).ToHtml());
            Assert.NotEmpty(Display.Of(model).ToHtml());
        }
        // The finalizers of what other tests left may make it less.
        Assert.True(Tensor.TotalCount <= before, $"{Tensor.TotalCount - before} more");
    }

    [Fact]
    public void Markup_in_displays_stays_text()
    {
        using var model = nn.Sequential((Samples.Evil.Replace(".", "", StringComparison.Ordinal), nn.Linear(2, 2)));
        Visual[] visuals =
        [
            Display.Of(model, Samples.Evil), Display.Compare(model, model, Samples.Evil), Display.Of(ModelSize.Of(model), Samples.Evil), Display.SizeChart(Samples.Evil, [(Samples.Evil, ModelSize.Of(model))]),
            new TextSamples(Samples.Evil, [new TextSample(Samples.Evil, Samples.Evil)]), new LanguageSummary(Samples.Evil, Samples.Evil), Display.Of(new Timing(Samples.Evil, [1])),
        ];
        Assert.All(visuals, visual => Assert.DoesNotContain("<script", visual.ToHtml(), StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void Samples_keep_their_lines_and_summaries_their_languages()
    {
        var samples = new TextSamples("Generated", [new TextSample("float", "one\ntwo"), new TextSample("int8", "three")]);
        Assert.Equal("Generated\n\nfloat:\n  one\n  two\n\nint8:\n  three", samples.ToText());
        Assert.Contains("one\ntwo", TableTests.Body(samples).Value, StringComparison.Ordinal);
        var summary = TableTests.Body(new LanguageSummary("First.\n\nSecond.", "첫째."));
        Assert.Equal(["en", "ko"], summary.Descendants("div").Select(div => (string?)div.Attribute("lang")).Where(lang => lang is not null));
        Assert.Equal(["Summary", "First.", "Second.", "요약", "첫째."], summary.Descendants("p").Select(p => p.Value));
    }

    [Fact]
    public void A_gallery_holds_its_charts_side_by_side()
    {
        var gallery = new Gallery([.. Samples.Tutorial.Take(3).Select(chart => chart with { Width = 340 })]);
        var scene = ((IDrawing)gallery).Draw();
        Assert.Equal(696, scene.Width);
        Assert.All(scene.Marks, mark => Assert.True(mark.Bounds.Right <= scene.Width + 0.01 && mark.Bounds.Bottom <= scene.Height + 0.01));
        Assert.Equal(3, gallery.ToHtml().Split("<svg ").Length - 1);
        Assert.Contains("<svg", new Gallery([]).ToSvg(), StringComparison.Ordinal);
    }
}
