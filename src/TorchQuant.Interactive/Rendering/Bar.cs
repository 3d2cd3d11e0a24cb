namespace TorchQuant.Interactive.Rendering;

/// <summary>
/// One bar of a <see cref="BarChart"/> before it has an orientation: [Start, End] of the band of its category across, [From, To] along the value axis.
/// </summary>
internal sealed record Bar(int Category, int Series, double Start, double End, double From, double To, double Value, double? Low, double? High)
{
    /// <summary>Where the bars of a chart stand; bands are 1 wide. Values that are not finite have To = From = 0.</summary>
    public static IReadOnlyList<Bar> Of(BarChart chart)
    {
        var bars = new List<Bar>();
        var stacked = chart.Layout == BarLayout.Stacked;
        var across = stacked ? 1 : Math.Max(1, chart.Series.Count);
        var filled = across == 1 ? 0.62 : 0.8;
        for (var category = 0; category < chart.Categories.Count; category++)
        {
            double above = 0, below = 0;
            for (var series = 0; series < chart.Series.Count; series++)
            {
                var values = chart.Series[series];
                var value = values.Values[category];
                var length = double.IsFinite(value) ? value : 0;
                var slot = stacked ? 0 : series;
                double start = (1 - filled) / 2 + filled * slot / across, end = start + filled / across;
                var from = !stacked ? 0 : length < 0 ? below : above;
                if (length < 0) below += length;
                else above += length;
                bars.Add(new Bar(category, series, start, end, from, from + length, value, Finite(values.Low), Finite(values.High)));

                double? Finite(Values? ends) => ends is not null && double.IsFinite(ends[category]) ? ends[category] : null;
            }
        }
        return bars;
    }

    /// <summary>All numbers that the value axis must reach.</summary>
    public static IEnumerable<double> Reach(BarChart chart, IReadOnlyList<Bar> bars) =>
        bars.SelectMany(bar => new[] { bar.From, bar.To, bar.Low ?? bar.To, bar.High ?? bar.To }).Concat(chart.References.Select(line => line.At));
}
