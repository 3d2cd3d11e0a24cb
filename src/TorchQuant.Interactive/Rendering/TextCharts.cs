using System.Text;

namespace TorchQuant.Interactive.Rendering;

/// <summary>Charts for terminals: bars as rows of blocks with their numbers, lines and points as marks on a grid of characters, histograms as rows of bins.</summary>
internal static class TextCharts
{
    private const int BarColumns = 40, PlotColumns = 64, PlotRows = 14, MostBins = 24;
    private const string Marks = "●○▲△■□";

    public static string Render(Chart chart)
    {
        var text = new StringBuilder();
        Line(text, chart.Title);
        if (chart.Subtitle.Length > 0) Line(text, chart.Subtitle);
        switch (chart)
        {
            case BarChart bars:
                Bars(text, bars);
                break;
            case XyChart { Series.Count: > 0 } xy when xy.Series.All(series => series is HistogramSeries):
                foreach (var series in xy.Series) Histogram(text, xy, (HistogramSeries)series);
                References(text, xy);
                break;
            case XyChart xy:
                Plot(text, xy);
                References(text, xy);
                break;
            case HeatMap map:
                text.Append(TextMatrix.Render(map)).Append('\n');
                break;
            case ConfusionMatrix matrix:
                text.Append(TextMatrix.Render(matrix)).Append('\n');
                break;
            case ConfusionChange change:
                text.Append(TextMatrix.Render(change)).Append('\n');
                break;
            default:
                throw new ArgumentException($"The text renderer knows no {chart.GetType().Name}; add its case.", nameof(chart));
        }
        if (chart.Caption.Length > 0) Line(text, chart.Caption);
        return text.ToString().TrimEnd('\n');
    }

    private static void Bars(StringBuilder text, BarChart chart)
    {
        var names = chart.Series.Count == 1
            ? chart.Categories
            : [.. chart.Categories.SelectMany(category => chart.Series.Select(series => $"{category} · {series.Name}"))];
        var width = names.Select(TextMetrics.Columns).DefaultIfEmpty(0).Max();
        var bars = chart.Categories.SelectMany((_, category) => chart.Series.Select(series => (Series: series, Category: category))).ToList();
        var longest = bars.Select(bar => Math.Abs(bar.Series.Values[bar.Category])).Where(double.IsFinite).DefaultIfEmpty(0).Max();
        if (chart.Value.Caption.Length > 0) Line(text, $"[{chart.Value.Caption}]");
        for (var i = 0; i < bars.Count; i++)
        {
            var (series, category) = bars[i];
            var value = series.Values[category];
            var spread = series.Low is null ? "" : $"  ({NumberText.Short(series.Low[category])} to {NumberText.Short(series.High![category])})";
            Line(text, $"{Pad(names[i], width)} {Blocks(value, longest)} {NumberText.Short(value)}{spread}");
        }
        foreach (var line in chart.References) Line(text, $"{line.Name}: {NumberText.Short(line.At)}");
    }

    private static void Histogram(StringBuilder text, XyChart chart, HistogramSeries histogram)
    {
        Line(text, $"{histogram.Name}: {chart.X.Caption}, {chart.Y.Caption}");
        var together = Math.Max(1, (histogram.Counts.Count + MostBins - 1) / MostBins);
        var rows = new List<(string Name, double Count)>();
        for (var i = 0; i < histogram.Counts.Count; i += together)
        {
            var end = Math.Min(i + together, histogram.Counts.Count);
            rows.Add(($"{NumberText.Short(histogram.Edges[i])} … {NumberText.Short(histogram.Edges[end])}", Enumerable.Range(i, end - i).Sum(k => histogram.Counts[k])));
        }
        var width = rows.Select(row => TextMetrics.Columns(row.Name)).DefaultIfEmpty(0).Max();
        var longest = rows.Select(row => row.Count).Where(double.IsFinite).DefaultIfEmpty(0).Max();
        var logarithmic = chart.Y.Scale == AxisScale.Logarithmic;
        foreach (var (name, count) in rows) Line(text, $"{Pad(name, width)} {(logarithmic ? Blocks(Math.Log10(1 + count), Math.Log10(1 + longest)) : Blocks(count, longest))} {NumberText.Short(count)}");
        if (chart.Grid is { } grid) Line(text, $"grid: {NumberText.Fixed(grid.Levels, 0)} levels, {NumberText.Short(grid.Scale)} apart, from {NumberText.Short(grid.Minimum)} to {NumberText.Short(grid.Maximum)}");
        if (histogram.NotCounted > 0) Line(text, $"in no bin: {histogram.NotCounted} values, not finite or beyond the edges");
    }

    private static void References(StringBuilder text, XyChart chart)
    {
        foreach (var band in chart.Bands) Line(text, BandRows.Caption(band));
        // Lying lines are in the plot and its legend.
        var plotted = chart.Series.Any(series => series is not HistogramSeries);
        foreach (var line in chart.References.Where(line => line.OnX || !plotted)) Line(text, $"{line.Name}: {NumberText.Short(line.At)}");
        foreach (var points in chart.Series.OfType<PointSeries>())
            for (var i = 0; i < points.Labels.Count; i++) Line(text, $"{points.Labels[i]}: {NumberText.Short(points.X[i], 4)}, {NumberText.Short(points.Y[i], 4)}");
    }

    private static void Plot(StringBuilder text, XyChart chart)
    {
        var x = AxisMap.Over(chart.X, chart.Series.SelectMany(series => series.XValues), includeZero: false, 6, tight: true);
        var y = AxisMap.Over(chart.Y, chart.Series.SelectMany(series => series.YValues).Concat(chart.References.Where(line => !line.OnX).Select(line => line.At)), includeZero: false, 5);
        var cells = Enumerable.Range(0, PlotRows).Select(_ => new string(' ', PlotColumns).ToCharArray()).ToArray();
        foreach (var line in chart.References)
            if (!line.OnX && y.CanPlace(line.At)) Array.Fill(cells[Row(line.At)], '╌');
        for (var i = chart.Series.Count - 1; i >= 0; i--)
        {
            var mark = Marks[i % Marks.Length];
            if (chart.Series[i] is LineSeries line) Join(line);
            if (chart.Series[i] is RangeSeries ranges)
            {
                Span(ranges);
                continue;
            }
            foreach (var (a, b) in chart.Series[i].XValues.Zip(chart.Series[i].YValues))
                if (x.CanPlace(a) && y.CanPlace(b)) cells[Row(b)][(int)Math.Round(x.At(a) * (PlotColumns - 1))] = mark;
        }
        var labels = new string[PlotRows];
        for (var i = 0; i < y.Ticks.Positions.Count; i++) labels[Row(y.Ticks.Positions[i])] = y.Ticks.Labels[i];
        var width = y.Ticks.Labels.Max(TextMetrics.Columns);
        if (chart.Y.Caption.Length > 0) Line(text, $"[{chart.Y.Caption}]");
        for (var row = 0; row < PlotRows; row++) Line(text, $"{(labels[row] ?? "").PadLeft(width)} {(labels[row] is null ? '│' : '┤')}{new string(cells[row]).TrimEnd()}");
        Line(text, new string(' ', width + 1) + "└" + new string('─', PlotColumns));
        string first = NumberText.Short(x.Ticks.Low), last = NumberText.Short(x.Ticks.High);
        Line(text, new string(' ', width + 2) + first + new string(' ', Math.Max(1, PlotColumns - first.Length - last.Length)) + last);
        Line(text, string.Join("   ", chart.Series.Select((series, i) => $"{(series is RangeSeries ? '│' : Marks[i % Marks.Length])} {series.Name}").Concat(chart.References.Where(line => !line.OnX).Select(line => $"╌ {line.Name}: {NumberText.Short(line.At)}")))
            + (chart.X.Caption.Length > 0 ? $"   ({chart.X.Caption} →)" : ""));
        var missing = Summary.NotDrawn(chart, x, y);
        if (missing.Length > 0) Line(text, missing);

        int Row(double value) => (int)Math.Round((1 - y.At(value)) * (PlotRows - 1));

        void Span(RangeSeries ranges)
        {
            for (var i = 0; i < ranges.X.Count; i++)
            {
                if (!x.CanPlace(ranges.X[i]) || !y.CanPlace(ranges.Low[i]) || !y.CanPlace(ranges.High[i])) continue;
                var column = (int)Math.Round(x.At(ranges.X[i]) * (PlotColumns - 1));
                for (var row = Row(ranges.High[i]); row <= Row(ranges.Low[i]); row++) cells[row][column] = '│';
            }
        }

        // Light dots between neighbours that are columns apart.
        void Join(LineSeries line)
        {
            for (var i = 1; i < line.X.Count; i++)
            {
                if (!x.CanPlace(line.X[i - 1]) || !y.CanPlace(line.Y[i - 1]) || !x.CanPlace(line.X[i]) || !y.CanPlace(line.Y[i])) continue;
                double from = x.At(line.X[i - 1]) * (PlotColumns - 1), to = x.At(line.X[i]) * (PlotColumns - 1), first = y.At(line.Y[i - 1]), last = y.At(line.Y[i]);
                for (var column = (int)Math.Floor(from) + 1; column < to; column++)
                {
                    var row = (int)Math.Round((1 - (first + (last - first) * (column - from) / (to - from))) * (PlotRows - 1));
                    if (cells[row][column] is ' ' or '╌') cells[row][column] = '·';
                }
            }
        }
    }

    // Eighths of a column, so that lengths can be compared in a narrow terminal.
    private static string Blocks(double value, double longest)
    {
        if (!double.IsFinite(value) || longest == 0) return "";
        var eighths = (int)Math.Round(Math.Abs(value) / longest * BarColumns * 8);
        if (value != 0) eighths = Math.Max(1, eighths);
        return (value < 0 ? "−" : "") + new string('█', eighths / 8) + (eighths % 8 > 0 ? " ▏▎▍▌▋▊▉"[eighths % 8].ToString() : "");
    }

    private static string Pad(string text, int columns) => text + new string(' ', Math.Max(0, columns - TextMetrics.Columns(text)));

    private static void Line(StringBuilder text, string line) => text.Append(line.TrimEnd()).Append('\n');
}
