namespace TorchQuant.Interactive.Tests.Charts;

/// <summary>Charts for tests: the tutorial's kinds, and data that nobody wants to draw.</summary>
internal static class Samples
{
    public const string Evil = "<script>alert(\"1\")</script> & 'x' ]]> \u0001\ud800";

    public static IReadOnlyList<Chart> Tutorial { get; } =
    [
        Chart.Lines("Training", [new LineSeries("train", Wave(2500)), new LineSeries("valid", Values.Sequence(10, 250), Wave(10))], x: "step", y: "loss [nats]",
            subtitle: "Both fall. 손실이 함께 줄어듭니다.", references: [new ReferenceLine("uniform", 10.3)]),
        Chart.Bars("Size by module", ["float", "int8 (LSTM, Linear)", "int8 + embedding", "float16"],
            [new BarSeries("encoder", [68.2, 68.2, 17.3, 34.1]), new BarSeries("lstm", [9.5, 2.4, 2.4, 4.7]), new BarSeries("decoder", [34.2, 8.7, 8.7, 17.1])], "size [MB]", BarLayout.Stacked, horizontal: true),
        Chart.Bars("Size by module", ["encoder", "lstm", "decoder"], [new BarSeries("float", [68.2, 9.5, 34.2]), new BarSeries("int8", [17.3, 2.4, 8.7])], "size [MB]", BarLayout.Stacked),
        Chart.Bars("Evaluation time", ["float", "int8 dynamic", "int8 + embedding", "float16"], [new BarSeries("time", [8.42, 1.91, 1.88, 4.4], [8.1, 1.85, 1.8, 4.3], [9.3, 2.4, 2.2, 5])],
            "time per 25 steps [ms]", caption: "Median of 50 runs; the thin line spans the fastest and the slowest."),
        Chart.Bars("Bytes per token", ["float", "int8"], [new BarSeries("bytes", [43.7, 11.1])], "weights [MB]", horizontal: true, references: [new ReferenceLine("a quarter", 10.9)]),
        Chart.Histogram("Weights", Floats(5000), "weight", new QuantizationGrid(2.0 / 255)),
        Chart.Histogram("Weights, few levels", Floats(5000), "weight", new QuantizationGrid(2.0 / 15, 0, -8, 7)),
        Chart.Histograms("Error", [HistogramSeries.Count("int8 per tensor", Floats(900)), HistogramSeries.Count("int8 per channel", Floats(300), 20)], "int8 − float"),
        Chart.Lines("Error", [new LineSeries("int8", [1e-5, 2e-4, 0.1]), new LineSeries("float16", [1e-6, 2e-6, 1e-5])], "step", new Axis("relative error").Logarithmic()),
        Chart.Points("Outputs", [new PointSeries("tokens", Wave(300), Wave(300))], "float", "int8"),
        Chart.Bars("Long names", [.. Enumerable.Range(0, 30).Select(i => $"model.encoder.layers.{i}.attention.weight")], [new BarSeries("change", [.. Enumerable.Range(0, 30).Select(i => i - 9.5)])], "change [%]"),
        Chart.Bars("Long names", [.. Enumerable.Range(0, 5).Select(i => $"model.encoder.layers.{i}.attention.self.value.projection_weight_of_the_head")], [new BarSeries("change", [1.0, -2, 3, -4, 5])], horizontal: true),
        Chart.Bars("많은 이름", ["임베딩 계층의 매우 긴 이름입니다", "장단기 기억", "선형"], [new BarSeries("실수형", [3.0, 2, 1])], "크기 [MB]"),
        Chart.Histograms("Clipping ranges", [HistogramSeries.Count("float", Floats(5000))], "activation", y: new Axis("count").Logarithmic(),
            references: [new("mean", 0.01, OnX: true), new("99.99 % are below", 0.93, OnX: true), new("greatest", 0.98, OnX: true), new("one", 1)],
            bands: [new("min-max", -0.98, 0.98, OnX: true), new("entropy", -0.6, 0.7, OnX: true), new("beyond all reason", -400, 0.9, OnX: true)]),
        Chart.Ranges("Weights by channel", [new RangeSeries("float", Wave(64).Select(v => -v).ToArray(), Wave(64))], y: "weight", bands: [new("all channels", -10.2, 10.2)]),
        Chart.Ranges("Weights of two layers", [new RangeSeries("one", Wave(900).Select(v => v - 9).ToArray(), Wave(900)), new RangeSeries("two", Wave(3000).Select(v => v - 6).ToArray(), Wave(3000))]),
        Chart.Points("Accuracy against size", [new PointSeries("float", [8.9], [91.8]) { Labels = ["float"] }, new PointSeries("int8", [2.3, 2.4, 2.4, 2.4, 2.4], [89.2, 91.5, 91.52, 91.45, 91.4])
            { Labels = ["int8 min-max per tensor", "int8 histogram, per channel", "int8 squared error", "int8 entropy", "int8 percentile 99.99"] }], "size [MB]", "accuracy [%]", references: [new("float", 91.8)]),
        Chart.Bars("SQNR by layer", [.. Enumerable.Range(0, 60).Select(i => $"backbone.features.{i / 3}.conv.{i % 3}.depthwise")], [new BarSeries("int8", Wave(60)), new BarSeries("int8 per channel", Wave(60))], "SQNR [dB]",
            horizontal: true, references: [new("10 dB", 10)]),
        Chart.Heat("Weights", 12, 40, Wave(480).Select((v, i) => i == 77 ? double.NaN : v - 7).ToArray(), subtitle: "An output in each row."),
        Chart.Heat("One row", 1, 7, [1, -2, 3, -4, 0, double.PositiveInfinity, 1e-9]),
        Confusion("float"),
        Confusion("int8 with a hundred classes", 100),
        new ConfusionChange("What changed", Confusion("float"), Confusion("int8", seed: 4)),
    ];

    public static ConfusionMatrix Confusion(string title, int classes = 10, int seed = 3)
    {
        var random = new Random(seed);
        return new ConfusionMatrix(title, [.. Enumerable.Range(0, classes).Select(i => i == 3 ? "a class with a long name" : $"class {i}")],
            [.. Enumerable.Range(0, classes).Select(i => (IReadOnlyList<long>)[.. Enumerable.Range(0, classes).Select(k => i == k ? 900L : Math.Max(0, random.Next(-20, 60)))])]);
    }

    public static IReadOnlyList<(string Name, Values Values)> Degenerate { get; } =
    [
        ("empty", []),
        ("one", [3.0]),
        ("one zero", [0.0]),
        ("constant", [2.5, 2.5, 2.5]),
        ("constant negative", [-7.0, -7.0]),
        ("NaN only", [double.NaN, double.NaN]),
        ("NaN between", [1.0, double.NaN, 3.0]),
        ("infinities", [double.NegativeInfinity, 1.0, double.PositiveInfinity]),
        ("largest", [double.MaxValue, -double.MaxValue, 1.0]),
        ("huge", [1e299, -1e299]),
        ("denormal", [double.Epsilon, 0, 5e-320]),
        ("tiny", [1e-200, 2e-200, 3e-200]),
        ("narrow", [1e15, 1e15 + 1, 1e15 + 2]),
        ("narrower", [1, 1 + 1e-15]),
        ("wide", [1e-12, 1, 1e12]),
        ("negative", [-1.0, -2, -3]),
        ("mixed", [-1e-3, 0, 1e6]),
    ];

    /// <summary>Every kind of chart of the given values.</summary>
    public static IEnumerable<Chart> Of(Values values)
    {
        string[] names = [.. values.Select((_, i) => $"c{i}")];
        foreach (var scale in new[] { AxisScale.Linear, AxisScale.Logarithmic })
        {
            var axis = new Axis("value", "u", scale);
            yield return Chart.Lines("lines", [new LineSeries("a", values), new LineSeries("b", values, values)], axis, axis, references: [.. values.Take(2).Select(v => new ReferenceLine("r", v, v > 0))]);
            yield return Chart.Points("points", [new PointSeries("a", values, values)], axis, axis);
            yield return Chart.Points("labelled points", [new PointSeries("a", values, values) { Labels = names }], axis, axis);
            yield return Chart.Ranges("ranges", [new RangeSeries("a", values, values, values), new RangeSeries("b", values, values)], axis, axis,
                bands: [.. values.Where(double.IsFinite).Take(3).Select((v, i) => new ReferenceBand("r", Math.Min(v, 1), Math.Max(v, 1), i > 0))]);
            foreach (var horizontal in new[] { false, true })
            {
                yield return Chart.Bars("bars", names, [new BarSeries("a", values, values, values), new BarSeries("b", values)], axis, horizontal: horizontal, references: [.. values.Take(1).Select(v => new ReferenceLine("r", v))]);
                if (scale == AxisScale.Linear) yield return Chart.Bars("stacked", names, [new BarSeries("a", values), new BarSeries("b", values)], axis, BarLayout.Stacked, horizontal);
            }
            yield return Chart.Histograms("histogram", [HistogramSeries.Count("a", [.. values.Select(v => (float)v)], 7), HistogramSeries.Count("b", [1f], 3)], axis, new QuantizationGrid(0.5), axis);
        }
    }

    private static double[] Wave(int count) => [.. Enumerable.Range(0, count).Select(i => 5 + 5 * Math.Exp(-4.0 * i / count) + 0.2 * Math.Sin(i * 1.7))];

    private static float[] Floats(int count)
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() + random.NextDouble() - 1))];
    }
}
