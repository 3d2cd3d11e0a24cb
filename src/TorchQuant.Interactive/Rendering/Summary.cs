namespace TorchQuant.Interactive.Rendering;

/// <summary>A chart in words: for people who cannot see it, and for what could not be drawn.</summary>
internal static class Summary
{
    public static string Describe(XyChart chart) => string.Join(" ", chart.Series.Select(series => series switch
    {
        LineSeries line => $"Line {line.Name}: {line.Y.Count} points{Range(line.Y)}.",
        PointSeries points => $"Points {points.Name}: {points.Y.Count}{Range(points.Y)}.",
        HistogramSeries histogram => $"Histogram {histogram.Name}: {NumberText.Short(histogram.Counts.Sum(), 7)} values{Range(histogram.Edges)}.",
        _ => series.Name,
    }));

    public static string Describe(BarChart chart) => string.Join(" ", chart.Series.Select(series =>
        $"Bars {series.Name}: " + string.Join(", ", chart.Categories.Zip(series.Values).Select(bar => $"{bar.First} {NumberText.Short(bar.Second)}")) + "."));

    /// <summary>How many values are missing from the drawing, and why; empty when none are.</summary>
    public static string NotDrawn(XyChart chart, AxisMap x, AxisMap y)
    {
        long total = 0, missing = 0;
        foreach (var series in chart.Series)
        {
            if (series is HistogramSeries histogram)
            {
                missing += histogram.NotCounted;
                total += histogram.NotCounted + (long)histogram.Counts.Where(double.IsFinite).Sum();
                continue;
            }
            foreach (var (a, b) in series.XValues.Zip(series.YValues))
            {
                total++;
                if (!x.CanPlace(a) || !y.CanPlace(b)) missing++;
            }
        }
        if (missing == 0) return "";
        var logarithmic = chart.X.Scale == AxisScale.Logarithmic || chart.Y.Scale == AxisScale.Logarithmic;
        return $"Not drawn: {missing} of {total} values, which are not finite{(logarithmic ? ", or not positive on a logarithmic axis" : "")}.";
    }

    private static string Range(Values values)
    {
        var finite = values.Where(double.IsFinite).ToList();
        return finite.Count == 0 ? "" : $", from {NumberText.Short(finite.Min())} to {NumberText.Short(finite.Max())}";
    }
}
