using System.Globalization;
using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>What an observer has seen and what it chose: a histogram, ranges by channel, or a table.</summary>
internal static class ObserverView
{
    private const int MostBins = 128;

    public static Visual Of(ObserverBase observer, string title)
    {
        ArgumentNullException.ThrowIfNull(observer);
        var name = title.Length > 0 ? title : observer.GetType().Name;
        return observer switch
        {
            HistogramObserverBase histogram when HasRange(histogram) => Histogram(histogram, name),
            UniformQuantizationObserverBase { qscheme: not qscheme.per_channel_affine_float_qparams } channels when Seen(channels) && channels.min_val.numel() > 1 => Channels(channels, name),
            _ => ObserverTable.Of(observer, title),
        };
    }

    /// <summary>What observers that saw the same data kept of it: the histogram of the first one that has one, and the range of each.</summary>
    public static XyChart Compare(IReadOnlyList<(string Name, UniformQuantizationObserverBase Observer)> observers, string title)
    {
        var unseen = observers.Where(entry => !Seen(entry.Observer) || entry.Observer.min_val.numel() != 1).Select(entry => entry.Name).ToList();
        if (unseen.Count > 0) throw new ArgumentException($"{string.Join(", ", unseen)}: a comparison needs observers per tensor that have seen data; run the data through them first.", nameof(observers));
        if (observers.Select(entry => entry.Observer).OfType<HistogramObserverBase>().FirstOrDefault(HasRange) is not { } histogram)
            throw new ArgumentException("None of the observers has a histogram to show the ranges over; add a HistogramObserver.", nameof(observers));
        var bands = observers.Select(entry => (entry.Name, Grid: GridOf(entry.Observer)!)).Select(entry => new ReferenceBand(entry.Name, entry.Grid.Minimum, entry.Grid.Maximum, OnX: true));
        return Chart.Histograms(title, [Bins(histogram)], "value", y: new Axis("count").Logarithmic(), bands: [.. bands],
            subtitle: "What lies outside of an observer's range saturates; a narrower range has finer steps.");
    }

    public static bool Seen(UniformQuantizationObserverBase observer)
    {
        if (observer.min_val.numel() == 0) return false;
        using var finite = observer.min_val.isfinite();
        using var any = finite.any();
        return any.item<bool>();
    }

    /// <summary>The numbers that an observer's codes stand for; null for one scale per channel.</summary>
    public static QuantizationGrid? GridOf(UniformQuantizationObserverBase observer)
    {
        var (scale, zeroPoint) = observer.calculate_qparams();
        using (scale)
        using (zeroPoint)
            return scale.numel() == 1 ? new QuantizationGrid(scale.item<float>(), (int)zeroPoint.item<long>(), observer.quant_min, observer.quant_max) : null;
    }

    // A histogram of a single value has no width to draw.
    private static bool HasRange(HistogramObserverBase observer) => Seen(observer) && observer.min_val.item<float>() < observer.max_val.item<float>();

    private static XyChart Histogram(HistogramObserverBase observer, string title)
    {
        var grid = GridOf(observer)!;
        var bins = Bins(observer);
        var total = bins.Counts.Sum();
        var inside = Enumerable.Range(0, bins.Counts.Count).Where(i => (bins.Edges[i] + bins.Edges[i + 1]) / 2 is var middle && middle >= grid.Minimum && middle <= grid.Maximum).Sum(i => bins.Counts[i]);
        return Chart.Histograms(title, [bins], "value", y: new Axis("count").Logarithmic(),
            subtitle: string.Create(CultureInfo.InvariantCulture, $"{observer.GetType().Name}: scale {NumberText.Short(grid.Scale, 4)}, zero point {grid.ZeroPoint}, {observer.dtype} {grid.QuantMin} to {grid.QuantMax}. ")
                + $"About {NumberText.Short(100 * inside / total, 5)} % of {NumberText.Short(total, 6)} values lie in the range.",
            bands: [new ReferenceBand("range of the codes", grid.Minimum, grid.Maximum, OnX: true) { Color = Palette.Int8 }]);
    }

    // Neighbouring bins together, so that each is some pixels wide.
    private static HistogramSeries Bins(HistogramObserverBase observer)
    {
        var mass = observer.histogram.data<float>().ToArray();
        double low = observer.min_val.item<float>(), width = (observer.max_val.item<float>() - low) / mass.Length;
        var together = (mass.Length + MostBins - 1) / MostBins;
        var starts = Enumerable.Range(0, (mass.Length + together - 1) / together).Select(i => i * together).ToList();
        return new HistogramSeries("observed", Values.From(starts.Append(mass.Length).Select(bin => low + width * bin)), Values.From(starts.Select(start => mass.Skip(start).Take(together).Sum(count => (double)count))));
    }

    private static XyChart Channels(UniformQuantizationObserverBase observer, string title)
    {
        float[] low = observer.min_val.data<float>().ToArray(), high = observer.max_val.data<float>().ToArray();
        var (scales, zeroPoints) = observer.calculate_qparams();
        using (scales)
        using (zeroPoints)
        {
            float[] steps = scales.data<float>().ToArray();
            return Chart.Ranges(title, [new RangeSeries("observed", low, high)], "channel", "value", bands: [new ReferenceBand("all channels", low.Min(), high.Max())],
                subtitle: $"{observer.GetType().Name}: {observer.dtype}, {observer.qscheme}; {NumberText.Fixed(steps.Length, 0)} scales from {NumberText.Short(steps.Min(), 4)} to {NumberText.Short(steps.Max(), 4)}.");
        }
    }
}
