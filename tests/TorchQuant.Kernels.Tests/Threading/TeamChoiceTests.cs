using System.Diagnostics;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class TeamChoiceTests
{
    private long _now = 1_000_000_000;

    private TeamChoice _choice;

    [Fact]
    public void Workers_that_come_keep_the_work()
    {
        for (int run = 0; run < 10_000; run++)
            Record(lost: 0.01, total: 0.1);
        Assert.False(_choice.UsesOpenMp);
    }

    [Fact]
    public void Workers_that_do_not_come_hand_over_to_OpenMp()
    {
        Record(lost: 1, total: 2);
        Assert.False(_choice.UsesOpenMp);
        Record(lost: 1, total: 2);
        Record(lost: 1, total: 2);
        Assert.True(_choice.UsesOpenMp);
    }

    [Fact]
    public void One_long_stall_hands_over_nothing()
    {
        Record(lost: 20, total: 20);
        Assert.False(_choice.UsesOpenMp);
        HandOver();
        Record(lost: 20, total: 20);
        Assert.True(_choice.UsesOpenMp);
    }

    [Fact]
    public void OpenMp_that_stalls_is_tried_again_later_each_time()
    {
        double last = 0;
        for (int i = 0; i < 5; i++)
        {
            HandOver();
            Stall();
            Assert.False(_choice.UsesOpenMp);
            double pause = HandOver();
            Assert.True(pause > last, $"{pause} ms, before it {last} ms");
            last = pause;
            Stall();
        }

        // It is limited all the same.
        for (int i = 0; i < 20; i++, Stall())
            Assert.InRange(HandOver(), 0, 5100);
    }

    [Fact]
    public void OpenMp_hands_back_after_a_while_and_later_each_time_the_workers_lose_at_once()
    {
        double last = 0;
        for (int i = 0; i < 5; i++)
        {
            HandOver();
            double stint = HandBack();
            Assert.True(stint > last, $"{stint} ms, before it {last} ms");
            last = stint;
        }

        for (int i = 0; i < 20; i++)
        {
            HandOver();
            Assert.InRange(HandBack(), 0, 5100);
        }

        // Workers that served for long begin anew.
        for (int run = 0; run < 100_000; run++)
            Record(lost: 0, total: 0.1);
        HandOver();
        Assert.InRange(HandBack(), 0, 200);
    }

    [Fact]
    public void What_is_lost_while_OpenMp_still_spins_after_our_own_runs_hands_over_nothing()
    {
        HandOver();
        HandBack();
        for (int run = 0; run < 7; run++)
            Record(lost: 1, total: 1);
        Assert.False(_choice.UsesOpenMp);
        HandOver();
    }

    [Fact]
    public void Where_OpenMp_holds_no_cores_it_is_asked_rarely()
    {
        int asked = 0;
        for (int run = 0; run < 10_000; run++)
        {
            _now += Ticks(1);
            _choice.Record(Ticks(0.5), Ticks(1), _now, 2, _ => ++asked < 0);
        }

        Assert.False(_choice.UsesOpenMp);
        Assert.InRange(asked, 1, 10_000 / 50);
    }

    /// <summary>The pool's workers do not come until OpenMP has the work.</summary>
    /// <returns>Milliseconds.</returns>
    private double HandOver()
    {
        long start = _now;
        while (!_choice.UsesOpenMp)
            Record(lost: 0.5, total: 1);
        return 1000.0 * (_now - start) / Stopwatch.Frequency;
    }

    /// <summary>OpenMP serves well until it hands back.</summary>
    /// <returns>Milliseconds.</returns>
    private double HandBack()
    {
        long start = _now;
        while (_choice.UsesOpenMp)
            Record(lost: 0, total: 0.1);
        return 1000.0 * (_now - start) / Stopwatch.Frequency;
    }

    private void Stall()
    {
        for (int run = 0; run < 5 && _choice.UsesOpenMp; run++)
            Record(lost: 4, total: 4);
    }

    private void Record(double lost, double total)
    {
        _now += Ticks(total);
        _choice.Record(Ticks(lost), Ticks(total), _now, 2, static threads => threads == 2);
    }

    private static long Ticks(double milliseconds) => (long)(milliseconds * Stopwatch.Frequency / 1000);
}
