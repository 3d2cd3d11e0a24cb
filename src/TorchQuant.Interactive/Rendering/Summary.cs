namespace TorchQuant.Interactive.Rendering;

/// <summary>A chart in words: for people who cannot see it, and for what could not be drawn.</summary>
internal static class Summary
{
    public static string Describe(XyChart chart) => string.Join(" ", chart.Series.Select(series => series switch
    {
        LineSeries line => $"Line {line.Name}: {line.Y.Count} points{Range(line.Y)}.",
        PointSeries points => $"Points {points.Name}: {points.Y.Count}{Range(points.Y)}.",
        RangeSeries ranges => $"Ranges {ranges.Name}: {ranges.X.Count}{Range([.. ranges.Low, .. ranges.High])}.",
        HistogramSeries histogram => $"Histogram {histogram.Name}: {NumberText.Short(histogram.Counts.Sum(), 7)} values{Range(histogram.Edges)}.",
        _ => series.Name,
    }).Concat(chart.Bands.Select(band => $"Band {BandRows.Caption(band)}.")));

    public static string Describe(BarChart chart) => string.Join(" ", chart.Series.Select(series =>
        $"Bars {series.Name}: " + string.Join(", ", chart.Categories.Zip(series.Values).Select(bar => $"{bar.First} {NumberText.Short(bar.Second)}")) + "."));

    /// <summary>How many values are missing from the drawing, and why; empty when none are.</summary>
    public static string NotDrawn(XyChart chart, AxisMap x, AxisMap y)
    {
        long total = 0, missing = 0, noBin = 0;
        foreach (var series in chart.Series)
        {
            if (series is HistogramSeries histogram)
            {
                noBin += histogram.NotCounted;
                continue;
            }
            foreach (var (a, b) in series.XValues.Zip(series.YValues))
            {
                total++;
                if (!x.CanPlace(a) || !y.CanPlace(b)) missing++;
            }
        }
        var logarithmic = chart.X.Scale == AxisScale.Logarithmic || chart.Y.Scale == AxisScale.Logarithmic ? ", or not positive on a logarithmic axis" : "";
        var points = missing == 0 ? "" : $"Not drawn: {NumberText.Fixed(missing, 0)} of {NumberText.Fixed(total, 0)} values, which are not finite{logarithmic}. ";
        return (points + (noBin == 0 ? "" : $"In no bin: {NumberText.Fixed(noBin, 0)} values, not finite or beyond the edges.")).TrimEnd();
    }

    private static string Range(Values values)
    {
        var finite = values.Where(double.IsFinite).ToList();
        return finite.Count == 0 ? "" : $", from {NumberText.Short(finite.Min())} to {NumberText.Short(finite.Max())}";
    }
}
