using TorchQuant.Benchmarks.Races;
using TorchQuant.Interactive;

namespace TorchQuant.Benchmarks.Scaling;

/// <summary>The times of a sweep.</summary>
/// <param name="Sweep">What was timed.</param>
/// <param name="Points">The value of the variable, and a row for each implementation and number of threads.</param>
internal sealed record SweepResult(Sweep Sweep, IReadOnlyList<(double Value, RaceRow Row)> Points)
{
    /// <summary>For each implementation and number of threads the slope of log(time) over log(variable); for more than one thread also the speed-up at the largest value.</summary>
    public IEnumerable<string> Describe() => Lines().Select(line =>
    {
        double slope = Statistics.LogLogSlope([.. line.Select(p => (p.Value, p.Row.MedianSeconds))]), top = Statistics.LogLogSlope([.. line.TakeLast(2).Select(p => (p.Value, p.Row.MedianSeconds))]);
        (double value, RaceRow last) = line.Last();
        RaceRow? single = Points.Select(p => p.Row).FirstOrDefault(row => row.Shape == last.Shape && row.Implementation == last.Implementation && row.Threads == 1);
        string speedUp = last.Threads == 1 || single is null ? "" : FormattableString.Invariant($", {single.MedianSeconds / last.MedianSeconds:0.00} times as fast as one thread at {value}");
        return FormattableString.Invariant($"{Sweep.Name}, {line.Key.Implementation}, {line.Key.Threads} thread(s): time ~ {Sweep.Variable}^{slope:0.00}, between the two largest ^{top:0.00}{speedUp}");
    });

    /// <summary>A chart for each number of threads.</summary>
    public IEnumerable<Chart> Charts() => Lines().GroupBy(line => line.Key.Threads).Select(lines => new XyChart(
        $"{Sweep.Name}: time against {Sweep.Variable}, {lines.Key} thread{(lines.Key == 1 ? "" : "s")}",
        [.. lines.Select(line => new LineSeries(line.Key.Implementation, line.Select(p => p.Value).ToArray(), line.Select(p => 1e6 * p.Row.MedianSeconds).ToArray()))])
    {
        X = new Axis(Sweep.Variable).Logarithmic(),
        Y = new Axis("time", "us").Logarithmic(),
        Subtitle = string.Join("; ", lines.Select(line => FormattableString.Invariant($"{line.Key.Implementation}: slope {Statistics.LogLogSlope([.. line.Select(p => (p.Value, p.Row.MedianSeconds))]):0.00}"))),
    });

    private IEnumerable<IGrouping<(string Implementation, int Threads), (double Value, RaceRow Row)>> Lines() =>
        Points.GroupBy(p => (p.Row.Implementation, p.Row.Threads)).Where(line => line.Count() > 1);
}
