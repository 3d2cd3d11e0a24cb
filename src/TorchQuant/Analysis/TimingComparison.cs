using System.Globalization;
using TorchQuant.Analysis;

namespace TorchQuant;

/// <summary>Several candidates measured in turns on the same machine, so that what disturbs one disturbs all.</summary>
/// <param name="Timings">One for each candidate; the first is the baseline.</param>
/// <param name="Machine">What they ran on.</param>
public sealed record TimingComparison(IReadOnlyList<Timing> Timings, TimingMachine Machine)
{
    /// <summary>The first candidate.</summary>
    public Timing Baseline => Timings[0];

    /// <summary>How many times as fast as the baseline a candidate is: median of the baseline / its median.</summary>
    /// <param name="timing">One of <see cref="Timings"/>.</param>
    public double Speedup(Timing timing)
    {
        ArgumentNullException.ThrowIfNull(timing);
        return Baseline.Median / timing.Median;
    }

    /// <summary>A table as text, with the machine below it.</summary>
    public override string ToString() => new TextTable("candidate", "median ms", "quartiles ms", "extremes ms", "runs", "speed-up")
        .AlignRight(1, 2, 3, 4, 5)
        .Add(Timings.Select(t => (object[])[t.Name, Number(t.Median), $"{Number(t.LowerQuartile)} - {Number(t.UpperQuartile)}", $"{Number(t.Minimum)} - {Number(t.Maximum)}",
            t.Milliseconds.Count, Speedup(t).ToString("0.00", CultureInfo.InvariantCulture)]))
        .ToString() + Machine + Environment.NewLine;

    private static string Number(double milliseconds) => milliseconds.ToString("0.000", CultureInfo.InvariantCulture);
}
