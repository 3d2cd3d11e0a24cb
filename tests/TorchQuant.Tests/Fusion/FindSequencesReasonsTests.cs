using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Fusion;

/// <summary>Why sequences that were called in the right order are left as they are.</summary>
public class FindSequencesReasonsTests
{
    [Fact]
    public void An_output_that_a_raw_operator_uses_is_told()
        => Assert.Equal(["conv, norm, act: the output of conv is used elsewhere too, not by norm alone"], Reasons(new WiredBlock(new(Wiring.SkipFromConv, true, After.ReLU6, false)), X64()));

    [Fact]
    public void An_output_that_is_written_to_is_told_even_where_the_example_hides_it()
        => Assert.Equal(["conv, norm, act: the output of conv is changed in place before norm takes it"], Reasons(new WiredBlock(new(Wiring.InPlaceBetween, true, After.ReLU, false)), X64()));

    [Fact]
    public void Modules_that_are_called_twice_and_outputs_that_go_two_ways_are_told()
    {
        Assert.Equal(["conv, norm, act: conv is called 2 times; give each sequence a Conv2d of its own"], Reasons(new WiredBlock(new(Wiring.ConvTwice, true, After.ReLU, false)), X64()));
        Assert.Equal(["conv, norm: the output of conv goes to norm and norm2", "conv, norm2: the output of conv goes to norm and norm2"], Reasons(new WiredBlock(new(Wiring.Branches, true, After.ReLU, false)), X64()));
    }

    [Fact]
    public void A_use_that_does_not_show_in_the_numbers_of_the_example_is_found()
    {
        using var model = Positive();
        using var x = ones(1, 1, 2, 2);
        // relu(conv(x)) equals conv(x) here, so to fuse would change nothing, today.
        Assert.Equal(["conv, relu: the output of conv is used elsewhere too, not by relu alone"], Reasons(model, m => Through(m, x, (a, c) => a + c)));
        Assert.Equal(["conv, relu: the output of conv is used elsewhere too, not by relu alone"], Reasons(model, m => Through(m, x, (a, c) => c + a.gt(1000).sum())));
        Assert.Equal(["conv, relu: the output of conv is used elsewhere too, not by relu alone"], Reasons(model, m => Through(m, x, (a, c) => a.max().item<float>() < 100 ? c : throw new InvalidOperationException("too large"))));
        Assert.Empty(Reasons(model, m => Through(m, x, (a, c) => c * a.shape[0])));
    }

    [Fact]
    public void An_output_that_the_model_returns_is_used()
    {
        using var model = Positive();
        using var x = ones(1, 1, 2, 2);
        string[] used = ["conv, relu: the output of conv is used elsewhere too, not by relu alone"];
        Assert.Equal(used, Reasons(model, m => (object?)Both(m, x)));
        Assert.Equal(used, Reasons(model, m => new Dictionary<string, object> { ["first"] = new List<Tensor> { Both(m, x).Item1 } }));
        Assert.Equal(used, Reasons(model, m => (1, Both(m, x).Item1.argmax())));
    }

    [Fact]
    public void Two_inputs_and_several_outputs_are_run_as_told()
    {
        using var model = new TwoHeads();
        model.eval();
        using var a = rand(2, 4);
        using var b = rand(2, 4);
        using var fused = quantization.fuse_modules(model, m => m.call(a, b), out var report);
        Assert.Equal(["first, relu", "second, relu6"], report.Fused.Select(f => string.Join(", ", f.Names)));
        var (expected, actual) = (model.call(a, b), fused.call(a, b));
        Assert.True(expected.Item1.allclose(actual.Item1) && expected.Item2.allclose(actual.Item2));
        using var inPlace = quantization.fuse_modules(model, m => m.call(a, b), inplace: true);
        Assert.Same(model, inPlace);
    }

    [Fact]
    public void Batch_norms_that_do_not_scale_the_outputs_axis_are_not_folded()
    {
        using var rows = nn.Sequential(("fc", nn.Linear(3, 5)), ("norm", nn.BatchNorm1d(5)));
        rows.eval();
        using var steps = rand(2, 5, 3); // 5 steps of 3 features: the norm scales the steps
        Assert.Equal(["fc, norm: fc gives 3 axes, and norm normalizes axis 1, which is not that of its outputs; it can be folded where there are 2"], Reasons(rows, steps));
        using var batch = rand(2, 3);
        Assert.Empty(Reasons(rows, batch));
        using var signal = nn.Sequential(("conv", nn.Conv1d(2, 4, 1)), ("norm", nn.BatchNorm1d(4)), ("relu", nn.ReLU()));
        signal.eval();
        using var unbatched = rand(2, 4);
        Assert.Equal(["conv, norm, relu: conv gives 2 axes, and norm normalizes axis 1, which is not that of its outputs; it can be folded where there are 3"], Reasons(signal, unbatched));
    }

    [Fact]
    public void What_reading_the_model_forbids_is_told_and_the_rest_is_fused()
    {
        var shared = nn.ReLU();
        using var model = nn.Sequential(
            ("a", nn.Sequential(("conv", nn.Conv2d(1, 1, 1)), ("norm", nn.BatchNorm2d(1, track_running_stats: false)), ("relu", nn.ReLU()))),
            ("b", nn.Sequential(("conv", nn.Conv2d(1, 1, 1)), ("norm", nn.BatchNorm2d(1)))),
            ("c", nn.Sequential(("conv", nn.Conv2d(1, 1, 1)), ("relu", shared))),
            ("unused", new Holder(shared)));
        ((MTT)((Sequential)model[1])[0]).register_forward_hook((_, _, y) => y);
        model.eval();
        using var x = rand(2, 1, 2, 2);
        using var fused = quantization.fuse_modules(model, x, out var report);
        Assert.Equal(["a.norm, a.relu"], report.Fused.Select(f => string.Join(", ", f.Names)));
        Assert.Equal(
        [
            "a.conv, a.norm, a.relu: a.norm has no running statistics to fold (track_running_stats: false); make it with track_running_stats: true",
            "b.conv, b.norm: b.conv has forward hooks, but its output before b.norm will not exist; remove them, or register them on b.norm",
            "c.conv, c.relu: c.relu is one module in 2 places (c.relu, unused.relu) and would be fused away in all of them; give each sequence a ReLU of its own",
        ], report.NotFused.Select(n => $"{string.Join(", ", n.Names)}: {n.Reason}"));
    }

    [Fact]
    public void A_forward_that_reads_the_weights_that_would_be_folded_is_found_by_the_last_run()
    {
        using var model = new ReadsWeights();
        model.eval();
        using (no_grad()) // positive, so that the ReLU lets the difference through
            foreach (var parameter in model.parameters())
                parameter.fill_(0.5);
        using var x = rand(1, 2, 3, 3);
        using var fused = quantization.fuse_modules(model, x, out var report);
        Assert.Equal(["fc, relu"], report.Fused.Select(f => string.Join(", ", f.Names)));
        Assert.StartsWith("fused, the model gives other outputs on the example: its forward uses more of these modules than their calls", Assert.Single(report.NotFused).Reason, StringComparison.Ordinal);
        using var expected = model.call(x);
        using var actual = fused.call(x);
        Assert.True(expected.allclose(actual));
    }

    [Fact]
    public void A_model_with_nothing_to_fuse_is_copied_and_the_report_is_empty()
    {
        using var model = nn.Linear(2, 2);
        using var x = rand(1, 2);
        using var fused = quantization.fuse_modules(model, x, out var report);
        Assert.NotSame(model, fused);
        Assert.Empty(report.Fused);
        Assert.Empty(report.NotFused);
    }

    private static Tensor X64() => rand([2, 3, 4, 4], ScalarType.Float64);

    private static string[] Reasons(MTT model, Tensor x)
    {
        model.eval();
        return Reasons(model, m => m.call(x));
    }

    private static string[] Reasons<T>(T model, Func<T, object?> run) where T : nn.Module
    {
        using var fused = quantization.fuse_modules(model, run, out var report);
        return [.. report.NotFused.Select(n => $"{string.Join(", ", n.Names)}: {n.Reason}")];
    }

    private static Sequential Positive()
    {
        var model = nn.Sequential(("conv", nn.Conv2d(1, 1, 1)), ("relu", nn.ReLU()));
        using var off = no_grad();
        foreach (var parameter in model.parameters()) parameter.fill_(1);
        model.eval();
        return model;
    }

    private static Tensor Through(Sequential model, Tensor x, Func<Tensor, Tensor, Tensor> end)
    {
        var a = model[0].call(x);
        return end(a, model[1].call(a));
    }

    private static (Tensor, Tensor) Both(Sequential model, Tensor x)
    {
        var a = model[0].call(x);
        return (a, model[1].call(a));
    }

    private sealed class Holder : MTT
    {
        public MTT relu;

        public Holder(MTT relu) : base(nameof(Holder))
        {
            this.relu = relu;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => input.alias();
    }

    private sealed class ReadsWeights : MTT
    {
        public Conv2d conv = nn.Conv2d(2, 2, 1, bias: false);
        public MTT norm = nn.BatchNorm2d(2, eps: 1);
        public MTT fc = nn.Linear(3, 3), relu = nn.ReLU();

        public ReadsWeights() : base(nameof(ReadsWeights)) => RegisterComponents();

        public override Tensor forward(Tensor input) => relu.call(fc.call(norm.call(conv.call(input)) + nn.functional.conv2d(input, conv.weight)));
    }

    private sealed class TwoHeads : nn.Module<Tensor, Tensor, (Tensor, Tensor)>
    {
        private readonly MTT first = nn.Linear(4, 3), relu = nn.ReLU(), second = nn.Linear(4, 3), relu6 = nn.ReLU6();

        public TwoHeads() : base(nameof(TwoHeads)) => RegisterComponents();

        public override (Tensor, Tensor) forward(Tensor input1, Tensor input2) => (relu.call(first.call(input1)), relu6.call(second.call(input2)));
    }
}
