using TorchSharp;
using Xunit;
using Bars = TorchQuant.Interactive.Progress;

namespace TorchQuant.Interactive.Tests.Progress;

[Collection("torch")]
public class ProgressTests
{
    [Fact]
    public void Over_gives_every_item_in_order() => Assert.Equal([1, 2, 3], Bars.Over([1, 2, 3], "counting"));

    [Fact]
    public void Over_needs_to_know_how_many_there_are()
    {
        Assert.Contains("give total:", Assert.Throws<ArgumentException>(() => Bars.Over(Endless(), "counting")).Message, StringComparison.Ordinal);
        Assert.Equal([0, 1], Bars.Over(Endless(), "counting", total: 5).Take(2));

        static IEnumerable<int> Endless()
        {
            for (var i = 0; ; i++) yield return i;
        }
    }

    [Fact]
    public void A_bar_takes_reports_of_steps_and_of_shares()
    {
        var bar = new ProgressBar(200);
        ((IProgress<int>)bar).Report(20);
        Assert.Equal(20, bar.Done);
        ((IProgress<double>)bar).Report(0.5);
        Assert.Equal(100, bar.Done);
        // As a timer reports.
        using var x = torch.rand(2, 2);
        InferenceTimer.Compare([("once", () => x.sum().Dispose())], runs: 2, warmUp: 1, progress: bar);
        Assert.True(bar.IsComplete);
    }

    [Fact]
    public void A_terminal_has_one_line_that_is_written_over_and_ended()
    {
        var clock = new ProgressBarTests.Clock();
        var terminal = new StringWriter();
        var bar = new ProgressBar(4, "work", clock).Attach(new TerminalLine(terminal).Show);
        clock.Advance(TimeSpan.FromMilliseconds(500));
        bar.Report(1);
        Assert.Empty(terminal.ToString());
        clock.Advance(TimeSpan.FromSeconds(1));
        bar.Report(2, "a long message");
        clock.Advance(TimeSpan.FromSeconds(1));
        bar.Report(4, "");
        var lines = terminal.ToString().Split('\r');
        Assert.Equal(3, lines.Length);
        Assert.Equal(lines[1].Length, lines[2].TrimEnd('\n').Length);
        Assert.StartsWith("work [", lines[1], StringComparison.Ordinal);
        Assert.EndsWith("\n", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Work_that_is_done_at_once_leaves_a_terminal_alone()
    {
        var terminal = new StringWriter();
        new ProgressBar(2, "work", new ProgressBarTests.Clock()).Attach(new TerminalLine(terminal).Show).Complete();
        Assert.Empty(terminal.ToString());
    }

    [Fact]
    public void A_history_grows_curve_by_curve_and_shows_at_most_every_two_seconds()
    {
        var clock = new ProgressBarTests.Clock();
        var shown = new List<int>();
        var history = new TrainingHistory("Loss", "loss [nats]", clock: clock).Attach(h => shown.Add(h.ToChart().Series.Cast<LineSeries>().Sum(line => line.X.Count)));
        for (var step = 1; step <= 30; step++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(200));
            history.Add("train", step, 1.0 / step);
            if (step == 25) history.Add("valid", step, 0.5);
        }
        Assert.Equal([10, 20, 31], shown);
        history.Complete();
        Assert.Equal([10, 20, 31, 31], shown);
        var chart = history.ToChart();
        Assert.Equal(["train", "valid"], chart.Series.Select(series => series.Name));
        Assert.Equal(("step", "nats"), (chart.X.Label, chart.Y.Unit));
        Assert.Equal(chart.ToSvg(), history.ToSvg());
    }
}
