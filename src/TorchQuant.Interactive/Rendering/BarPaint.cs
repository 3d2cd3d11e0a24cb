namespace TorchQuant.Interactive.Rendering;

/// <summary>What the bars of a chart and its legend are painted with: a data type has its colour whether the series or the category names it.</summary>
internal sealed class BarPaint
{
    private readonly BarChart _chart;
    private readonly string[] _series;
    private readonly bool _byCategory;

    public BarPaint(BarChart chart)
    {
        _chart = chart;
        _series = Palette.Assign([.. chart.Series.Select(bars => (bars.Name, bars.Color))]);
        var free = chart.Series.All(bars => bars.Color is null && Palette.ForName(bars.Name) is null);
        var typed = chart.Categories.Count(category => Palette.ForName(category) is not null);
        _byCategory = free && (chart.Series.Count == 1 ? typed > 0 : chart.Layout == BarLayout.Stacked && typed == chart.Categories.Count && typed > 0);
    }

    /// <summary>The series' colour; or the category's, in a shade of it for each series of a stack.</summary>
    public Paint Of(Bar bar) => _byCategory
        ? new Paint(Palette.ForName(_chart.Categories[bar.Category]) ?? _series[0], Shade(bar.Series))
        : new Paint(_series[bar.Series]);

    /// <summary>The series in the legend.</summary>
    public Paint OfLegend(int series) => _byCategory ? new Paint(Paint.Ink, 0.8 * Shade(series)) : new Paint(_series[series]);

    /// <summary>Text on a bar: white or near-black, whichever is easier to read; on a light shade the page's own ink.</summary>
    public static Paint InkOn(Paint fill)
    {
        if (fill.Opacity < 0.8) return Paint.Text;
        return new Paint(Contrast.Ratio(fill.Color, "#ffffff") >= Contrast.Ratio(fill.Color, "#101418") ? "#ffffff" : "#101418");
    }

    private double Shade(int series) => _chart.Series.Count == 1 ? 1 : 1 - 0.55 * series / (_chart.Series.Count - 1);
}
