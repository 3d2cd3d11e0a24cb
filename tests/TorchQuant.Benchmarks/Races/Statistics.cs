namespace TorchQuant.Benchmarks.Races;

/// <summary>The two means that the tables use.</summary>
internal static class Statistics
{
    /// <summary>The middle value; of an even number the mean of the two in the middle.</summary>
    public static double Median(IReadOnlyCollection<double> values)
    {
        double[] sorted = [.. values.Order()];
        if (sorted.Length == 0)
            throw new ArgumentException("There are no values; expected at least one.", nameof(values));
        return (sorted[sorted.Length / 2] + sorted[(sorted.Length - 1) / 2]) / 2;
    }

    /// <summary>exp(mean(log(value))): the mean for ratios.</summary>
    public static double GeometricMean(IReadOnlyCollection<double> values)
    {
        if (values.Count == 0)
            throw new ArgumentException("There are no values; expected at least one.", nameof(values));
        return Math.Exp(values.Average(Math.Log));
    }

    /// <summary>The slope of the line of least squares through (log x, log y): how cost grows, 1 for proportional.</summary>
    public static double LogLogSlope(IReadOnlyList<(double X, double Y)> points)
    {
        if (points.Count < 2)
            throw new ArgumentException($"There are {points.Count} points; expected at least two.", nameof(points));
        double meanX = points.Average(p => Math.Log(p.X)), meanY = points.Average(p => Math.Log(p.Y));
        return points.Sum(p => (Math.Log(p.X) - meanX) * (Math.Log(p.Y) - meanY)) / points.Sum(p => Math.Pow(Math.Log(p.X) - meanX, 2));
    }
}
