using Plotly.NET;

namespace TorchQuant.Interactive;

/// <summary>Charts in their interactive form.</summary>
public static class PlotlyCharts
{
    /// <summary>The chart as a chart of Plotly.NET, to be styled and combined further with its functions. Texts are encoded: Plotly reads some markup in them.</summary>
    /// <exception cref="ArgumentException">The chart is of a kind that has no interactive form.</exception>
    public static GenericChart ToPlotly(this Chart chart)
    {
        ArgumentNullException.ThrowIfNull(chart);
        return PlotlyFigure.Of(chart);
    }

    /// <summary>The chart with an interactive HTML form: it can be zoomed, shows values where it is pointed at, hides series that are clicked in the legend. Display <see cref="PlotlyLibrary.Script"/> once in the same page.</summary>
    /// <exception cref="ArgumentException">The chart is of a kind that has no interactive form.</exception>
    public static InteractiveChart Interactive(this Chart chart)
    {
        ArgumentNullException.ThrowIfNull(chart);
        return new InteractiveChart(chart);
    }
}
