using System.Xml.Linq;
using TorchQuant.Interactive.Tests.Charts;
using Xunit;

namespace TorchQuant.Interactive.Tests.Progress;

public class ProgressBarTests
{
    [Fact]
    public void Text_tells_share_time_gone_time_left_and_message()
    {
        var clock = new Clock();
        var bar = new ProgressBar(200, "training", clock);
        Assert.Equal("training [░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░] 0% · 0 of 200 · 0 ms", bar.ToText());
        clock.Advance(TimeSpan.FromSeconds(30));
        bar.Report(50, "loss 5.1");
        Assert.Equal("training [███████░░░░░░░░░░░░░░░░░░░░░░░] 25% · 50 of 200 · 30.0 s, 1:30 left · loss 5.1", bar.ToText());
        clock.Advance(TimeSpan.FromSeconds(90));
        bar.Complete("done");
        Assert.Equal("training [██████████████████████████████] 100% · 200 of 200 · 2:00 · done", bar.ToString());
    }

    [Fact]
    public void Html_is_a_bar_of_that_share()
    {
        var bar = new ProgressBar(8, Samples.Evil, new Clock());
        bar.Report(3, Samples.Evil);
        var html = XDocument.Parse("<root>" + bar.ToHtml() + "</root>");
        var track = html.Descendants("div").Single(div => (string?)div.Attribute("role") == "progressbar");
        Assert.Equal("37.5", (string?)track.Attribute("aria-valuenow"));
        Assert.StartsWith("width:37.5%", (string?)track.Element("div")!.Attribute("style"), StringComparison.Ordinal);
        Assert.DoesNotContain("<script", bar.ToHtml(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Updates_come_at_most_four_times_a_second_and_at_the_end()
    {
        var clock = new Clock();
        var shown = new List<long>();
        var bar = new ProgressBar(1000, clock: clock).Attach(b => shown.Add(b.Done));
        for (var i = 1; i <= 1000; i++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(10));
            bar.Report(i);
        }
        Assert.Equal([.. Enumerable.Range(1, 40).Select(i => i * 25L)], shown);
        Assert.Equal(1000, shown[^1]);
    }

    [Fact]
    public void The_end_is_shown_once_even_right_after_another_update_and_with_nothing_to_do()
    {
        var clock = new Clock();
        var shown = new List<long>();
        var bar = new ProgressBar(2, clock: clock).Attach(b => shown.Add(b.Done));
        bar.Report(1);
        bar.Report(2);
        bar.Complete();
        Assert.Equal([2], shown);
        var empty = new List<long>();
        new ProgressBar(0, clock: clock).Attach(b => empty.Add(b.Done)).Complete();
        Assert.Equal([0], empty);
        bar.Report(99);
        Assert.Equal(2, bar.Done);
        Assert.True(bar.IsComplete);
    }

    [Fact]
    public void Threads_may_report_at_once_and_updates_do_not_overlap()
    {
        var clock = new Clock();
        int inside = 0, overlaps = 0, ends = 0, steps = 0;
        const int total = 4000;
        var bar = new ProgressBar(total, clock: clock).Attach(b =>
        {
            if (Interlocked.Increment(ref inside) > 1) Interlocked.Increment(ref overlaps);
            if (b.IsComplete) Interlocked.Increment(ref ends);
            Assert.NotEmpty(b.ToHtml());
            Interlocked.Decrement(ref inside);
        });
        Parallel.For(0, total - 1, _ =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(10));
            bar.Report(Math.Min(Interlocked.Increment(ref steps), total - 1));
        });
        bar.Complete();
        Assert.Equal((0, 1), (overlaps, ends));
    }

    [Fact]
    public void A_negative_total_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => new ProgressBar(-1));

    internal sealed class Clock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _ticks);

        public void Advance(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);
    }
}
