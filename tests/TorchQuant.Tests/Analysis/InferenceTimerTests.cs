using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Analyses;

[Collection(nameof(Alone))]
public class InferenceTimerTests
{
    [Fact]
    public void Candidates_run_in_turns_and_the_warm_up_is_not_measured()
    {
        var order = new List<string>();
        void Work(string name)
        {
            order.Add(name);
            Thread.SpinWait(1000); // longer than the smallest step of a clock
        }

        var result = InferenceTimer.Compare([("a", () => Work("a")), ("b", () => Work("b"))], runs: 3, warmUp: 2);
        Assert.Equal(string.Concat(Enumerable.Repeat("ab", 5)), string.Concat(order));
        Assert.All(result.Timings, t => Assert.Equal(3, t.Milliseconds.Count));
        Assert.Equal(["a", "b"], result.Timings.Select(t => t.Name));
        Assert.Equal(1, result.Speedup(result.Baseline));
    }

    [Fact]
    public void Threads_are_set_for_the_measurement_and_put_back()
    {
        var before = get_num_threads();
        var during = 0;
        var result = InferenceTimer.Measure("x", () => during = get_num_threads(), runs: 1, warmUp: 0, threads: 1);
        Assert.Equal(1, during);
        Assert.Equal(1, result.Machine.Threads);
        Assert.Equal(before, get_num_threads());
        Assert.Throws<InvalidOperationException>(() => InferenceTimer.Measure("x", () => throw new InvalidOperationException(), threads: 1));
        Assert.Equal(before, get_num_threads());
    }

    [Fact]
    public void Tensors_of_a_run_are_disposed_and_no_gradient_is_recorded()
    {
        Tensor? made = null;
        var graded = true;
        InferenceTimer.Measure("x", () =>
        {
            made = ones(2);
            graded = is_grad_enabled();
        }, runs: 1, warmUp: 0);
        Assert.True(made!.IsInvalid);
        Assert.False(graded);
    }

    [Fact]
    public void Progress_ends_at_one_and_the_machine_is_named()
    {
        var shares = new List<double>();
        var result = InferenceTimer.Measure("x", () => { }, runs: 3, warmUp: 1, progress: new Synchronous(shares.Add));
        Assert.Equal([0.25, 0.5, 0.75, 1], shares);
        Assert.NotEmpty(result.Machine.Cpu);
        Assert.Contains(result.Machine.Isa, TorchQuant.Kernels.Isa.Available.Select(i => i.Name));
        Assert.Contains(result.Machine.Cpu, result.ToString());
        Assert.Contains("speed-up", result.ToString());
    }

    [Fact]
    public void Senseless_arguments_are_refused()
    {
        Assert.Throws<ArgumentException>(() => InferenceTimer.Compare([]));
        Assert.Throws<ArgumentOutOfRangeException>(() => InferenceTimer.Measure("x", () => { }, runs: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => InferenceTimer.Measure("x", () => { }, warmUp: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => InferenceTimer.Measure("x", () => { }, threads: 0));
        Assert.Throws<ArgumentException>(() => new Timing("x", []));
    }

    [Property]
    public bool Quartiles_lie_in_order_between_the_extremes(NonEmptyArray<NormalFloat> runs)
    {
        var t = new Timing("x", [.. runs.Get.Select(f => f.Get)]);
        return t.Minimum <= t.LowerQuartile && t.LowerQuartile <= t.Median && t.Median <= t.UpperQuartile && t.UpperQuartile <= t.Maximum
            && t.Milliseconds.Contains(t.Minimum) && t.Milliseconds.Contains(t.Maximum);
    }

    [Theory]
    [InlineData(new double[] { 3, 1, 2 }, 1.5, 2, 2.5)]
    [InlineData(new double[] { 4, 1, 2, 3 }, 1.75, 2.5, 3.25)]
    [InlineData(new double[] { 7 }, 7, 7, 7)]
    public void Quartiles_interpolate_between_the_sorted_runs(double[] runs, double lower, double median, double upper)
    {
        var t = new Timing("x", runs);
        Assert.Equal((lower, median, upper), (t.LowerQuartile, t.Median, t.UpperQuartile));
    }

    private sealed class Synchronous(Action<double> report) : IProgress<double>
    {
        public void Report(double value) => report(value);
    }
}
