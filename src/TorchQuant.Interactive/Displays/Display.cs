using System.Globalization;
using TorchQuant.Interactive.Rendering;
using TorchSharp;

namespace TorchQuant.Interactive;

/// <summary>What TorchQuant's and TorchSharp's objects look like: object in, <see cref="Visual"/> out. A notebook that loaded the extension shows them so by itself.</summary>
public static class Display
{
    /// <summary>One row per module, the total last.</summary>
    public static Table Of(ModelSize size, string title = "Model size")
    {
        ArgumentNullException.ThrowIfNull(size);
        var unit = SizeUnit.For(size.TotalBytes);
        return new Table(title, ["module", "type", "parameters", unit.Column],
            [.. size.Rows.Select(row => (object?[])[PathCell(row.Path), row.Type, row.Parameters, unit.Of(row.Bytes)]), ["total", "", size.TotalParameters, unit.Of(size.TotalBytes)]])
        { HasTotal = true };
    }

    /// <summary>One row per module of either model, the total last.</summary>
    public static Table Of(SizeComparison comparison, string title = "Size before and after")
    {
        ArgumentNullException.ThrowIfNull(comparison);
        var unit = SizeUnit.For(comparison.Before.TotalBytes);
        return new Table(title, ["module", "before", unit.Column, "after", unit.Column, new Column("after / before", "", "P1")],
        [
            .. comparison.Rows.Select(row => (object?[])
                [PathCell(row.Path), row.Before?.Type, unit.Of(row.Before?.Bytes), TypeCell(row.After?.Type), unit.Of(row.After?.Bytes), Ratio(row.Ratio)]),
            ["total", "", unit.Of(comparison.Before.TotalBytes), "", unit.Of(comparison.After.TotalBytes), Ratio(comparison.Ratio)],
        ])
        { HasTotal = true };
    }

    /// <summary>Median, quartiles, extremes, runs.</summary>
    public static Table Of(Timing timing, string title = "Time")
    {
        ArgumentNullException.ThrowIfNull(timing);
        return new Table(title, ["candidate", new Column("median", "ms", "N3"), new Column("quartiles", "ms"), new Column("extremes", "ms"), "runs"], [TimingRow(timing)]);
    }

    /// <summary>One row per candidate with its speed-up over the first, the machine below.</summary>
    public static Table Of(TimingComparison comparison, string title = "Time")
    {
        ArgumentNullException.ThrowIfNull(comparison);
        return new Table(title,
            ["candidate", new Column("median", "ms", "N3", Best.Lowest), new Column("quartiles", "ms"), new Column("extremes", "ms"), "runs", new Column("speed-up", "×", "N2")],
            [.. comparison.Timings.Select(timing => (object?[])[.. TimingRow(timing), comparison.Speedup(timing)])])
        { Caption = comparison.Machine.ToString() };
    }

    /// <summary>The model's modules as a tree: type, parameters, bytes.</summary>
    public static Table Of(torch.nn.Module model, string title = "") => ModuleTreeView.Of(model, title);

    /// <summary>Two models with the same paths as one tree: what became of each module.</summary>
    /// <param name="before">The model before, usually float.</param>
    /// <param name="after">The model after, usually quantized.</param>
    /// <param name="title">Above the table.</param>
    public static Table Compare(torch.nn.Module before, torch.nn.Module after, string title = "Modules before and after") => ModuleTreeView.Compare(before, after, title);

    /// <summary>Shape, type, statistics, the first values and a heat map; of a quantized tensor its scheme, scales, zero points and codes too, and the numbers that the codes stand for.</summary>
    public static Visual Of(torch.Tensor tensor, string title = "") => TensorView.Of(tensor, title);

    /// <summary>What an observer has seen and what it chose: the histogram with the range of the codes, the ranges by channel, or a table of settings, range, scale and zero point.</summary>
    public static Visual Of(ObserverBase observer, string title = "") => ObserverView.Of(observer, title);

    /// <summary>The range that each observer chose, over the histogram of the data that all have seen.</summary>
    /// <param name="observers">Observers with one scale per tensor, at least one of them with a histogram.</param>
    /// <param name="title">The chart's title.</param>
    /// <exception cref="ArgumentException">One has seen nothing or has a scale per channel, or none has a histogram.</exception>
    public static XyChart Compare(IReadOnlyList<(string Name, UniformQuantizationObserverBase Observer)> observers, string title = "What observers keep")
    {
        ArgumentNullException.ThrowIfNull(observers);
        return ObserverView.Compare(observers, title);
    }

    /// <summary>How activations and weights are observed, setting by setting.</summary>
    public static Table Of(QConfig qconfig, string title = "QConfig")
    {
        ArgumentNullException.ThrowIfNull(qconfig);
        return ObserverTable.Of(qconfig, title);
    }

    /// <summary>The errors of each layer, in the order of the calls.</summary>
    public static Table Of(LayerErrors errors, string title = "Errors by layer")
    {
        ArgumentNullException.ThrowIfNull(errors);
        return new Table(title, ["layer", "before", "after", new Column("SQNR", "dB", "N1"), "mean |x − y|", "values"],
            [.. errors.Rows.Select(row => (object?[])[PathCell(row.Path), TypeCell(row.Before), TypeCell(row.After), row.Sqnr, row.MeanAbsoluteError, row.Count])])
        { Caption = "SQNR: signal to quantization noise, 20 log₁₀(‖x‖ / ‖x − y‖); ∞ where nothing differs. The errors of the layers before are in each row." };
    }

    /// <summary>The signal to quantization noise ratio of each layer as bars; the shortest is where the model loses most.</summary>
    public static BarChart ErrorChart(LayerErrors errors, string title = "Errors by layer", string name = "int8")
    {
        ArgumentNullException.ThrowIfNull(errors);
        return Chart.Bars(title, [.. errors.Rows.Select(row => row.Path.Length == 0 ? "(model)" : row.Path)], [new BarSeries(name, errors.Rows.Select(row => row.Sqnr).ToArray())],
            new Axis("signal to quantization noise", "dB"), horizontal: true, subtitle: "Shorter bars are greater errors; each further bit is about 6 dB.");
    }

    /// <summary>An image for an <see cref="ImageGrid"/>.</summary>
    /// <param name="image">height × width or 1 × height × width (grey) or 3 × height × width (RGB), of bytes, or of floats from 0 to 1.</param>
    /// <param name="caption">Under the image.</param>
    /// <param name="predictions">What models say of it.</param>
    /// <exception cref="ArgumentException">The tensor has another shape or type, or floats outside [0, 1].</exception>
    public static GridImage Image(torch.Tensor image, string caption = "", IReadOnlyList<ImagePrediction>? predictions = null) =>
        TensorImage.Of(image) with { Caption = caption, Predictions = predictions ?? [] };

    /// <summary>Two confusion matrices and what changed from one to the other.</summary>
    /// <param name="before">Usually the float model's.</param>
    /// <param name="after">Usually the int8 model's.</param>
    /// <param name="title">The title of the change.</param>
    public static Gallery Compare(ConfusionMatrix before, ConfusionMatrix after, string title = "What changed") => new([before, after, new ConfusionChange(title, before, after) { Width = before.Width }]);

    /// <summary>Sizes of several forms of one model as bars stacked by module: one bar per form.</summary>
    /// <param name="title">The chart's title.</param>
    /// <param name="sizes">Each form's name and size.</param>
    /// <param name="depth">How many parts of a module's path are told apart: 1 sums up each child of the model.</param>
    /// <param name="subtitle">Under the title.</param>
    public static BarChart SizeChart(string title, IReadOnlyList<(string Name, ModelSize Size)> sizes, int depth = 1, string subtitle = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(depth, 1);
        var groups = sizes.SelectMany(form => form.Size.Rows).Select(row => Group(row.Path)).Distinct(StringComparer.Ordinal).ToList();
        var unit = SizeUnit.For(sizes.Select(form => form.Size.TotalBytes).DefaultIfEmpty(0).Max());
        var bars = groups.Select(group => new BarSeries(group, sizes.Select(form => form.Size.Rows.Where(row => Group(row.Path) == group).Sum(row => unit.Of(row.Bytes))).ToArray()));
        return Chart.Bars(title, [.. sizes.Select(form => form.Name)], [.. bars], new Axis("size", unit.Name), BarLayout.Stacked, horizontal: true, subtitle: subtitle);

        string Group(string path) => path.Length == 0 ? "(model)" : string.Join('.', path.Split('.').Take(depth));
    }

    /// <summary>The sizes of each module before and after, side by side.</summary>
    /// <param name="comparison">Of the two models.</param>
    /// <param name="title">The chart's title.</param>
    /// <param name="before">What the first model is, in the legend; a data type's name gives its colour.</param>
    /// <param name="after">What the second model is.</param>
    public static BarChart SizeChart(SizeComparison comparison, string title = "Size by module", string before = "float", string after = "int8")
    {
        ArgumentNullException.ThrowIfNull(comparison);
        var unit = SizeUnit.For(Math.Max(comparison.Before.TotalBytes, comparison.After.TotalBytes));
        return Chart.Bars(title, [.. comparison.Rows.Select(row => row.Path.Length == 0 ? "(model)" : row.Path)],
        [
            new BarSeries(before, comparison.Rows.Select(row => unit.Of(row.Before?.Bytes ?? 0)).ToArray()),
            new BarSeries(after, comparison.Rows.Select(row => unit.Of(row.After?.Bytes ?? 0)).ToArray()),
        ], new Axis("size", unit.Name), horizontal: comparison.Rows.Count > 8);
    }

    /// <summary>The median time of each candidate; the thin lines span the middle half of the runs.</summary>
    public static BarChart TimeChart(TimingComparison comparison, string title = "Time", string what = "time", string subtitle = "")
    {
        ArgumentNullException.ThrowIfNull(comparison);
        var timings = comparison.Timings;
        var bars = new BarSeries(what, timings.Select(t => t.Median).ToArray(), timings.Select(t => t.LowerQuartile).ToArray(), timings.Select(t => t.UpperQuartile).ToArray());
        return Chart.Bars(title, [.. timings.Select(timing => timing.Name)], [bars], new Axis(what, "ms"), subtitle: subtitle,
            caption: $"Median of {Runs(timings)} runs; the thin line spans the middle half of them. {comparison.Machine}.");
    }

    internal static Cell TypeCell(string? type) => new(type ?? "", type is not null && Palette.ForName(type) is { } color ? color : "");

    private static Cell PathCell(string path) => new(path.Length == 0 ? "(model)" : path, Code: true);

    private static double? Ratio(double ratio) => double.IsNaN(ratio) ? null : ratio;

    private static string Runs(IReadOnlyList<Timing> timings)
    {
        var (least, most) = (timings.Min(t => t.Milliseconds.Count), timings.Max(t => t.Milliseconds.Count));
        return least == most
            ? least.ToString("N0", CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{least:N0} to {most:N0}");
    }

    private static object?[] TimingRow(Timing timing) =>
    [
        timing.Name, timing.Median, $"{NumberText.Fixed(timing.LowerQuartile, 3)} to {NumberText.Fixed(timing.UpperQuartile, 3)}",
        $"{NumberText.Fixed(timing.Minimum, 3)} to {NumberText.Fixed(timing.Maximum, 3)}", timing.Milliseconds.Count,
    ];
}
