namespace TorchQuant;

/// <summary>Looks for the bins from one to another over which a cost is least.</summary>
internal static class RangeSearch
{
    private const int Thresholds = 512;

    /// <summary>First both ends together: the bins within [-t, t], for thresholds t evenly from the largest magnitude down; then the first bin alone and the last bin alone,
    /// among as many positions. So no range of the form [-t, t] that was tried costs less than the one returned, nor does the whole range.</summary>
    /// <param name="statistics">The histogram.</param>
    /// <param name="fewest">The fewest bins in a range.</param>
    /// <param name="cost">What the bins from one to another, both included, cost.</param>
    public static (float Min, float Max) Least(HistogramStatistics statistics, int fewest, Func<int, int, double> cost)
    {
        var last = statistics.Mass.Length - 1;
        double width = ((double)statistics.Max - statistics.Min) / statistics.Mass.Length;
        double largest = Math.Max(Math.Abs((double)statistics.Min), Math.Abs((double)statistics.Max));
        var best = (Start: 0, End: last, Cost: cost(0, last));
        for (var i = Thresholds - 1; i > 0; i--)
        {
            var threshold = largest * i / Thresholds;
            Try((int)Math.Clamp(Math.Floor((-threshold - statistics.Min) / width), 0, last), (int)Math.Clamp(Math.Ceiling((threshold - statistics.Min) / width) - 1, 0, last));
        }
        var stride = Math.Max(1, statistics.Mass.Length / Thresholds);
        for (var (start, end) = (0, best.End); start <= end; start += stride)
            Try(start, end);
        for (var (start, end) = (best.Start, last); end >= start; end -= stride)
            Try(start, end);
        return statistics.Range(best.Start, best.End);

        void Try(int start, int end)
        {
            if (end - start + 1 >= fewest && cost(start, end) is var found && found < best.Cost)
                best = (start, end, found);
        }
    }
}
