using FsCheck.Xunit;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Fusion;

/// <summary>What finding sequences leaves behind: the random state and the count of tensors belong to the process.</summary>
[Collection(nameof(Alone))]
public class FindSequencesAloneTests
{
    [Property(Arbitrary = [typeof(RandomNets)], MaxTest = 25)]
    public void The_model_the_example_and_the_random_state_are_untouched(RandomNet net)
    {
        using var scope = NewDisposeScope();
        using var model = net.Model();
        model.named_modules().Select(m => m.module).OfType<Dropout>().ToList().ForEach(d => d.train());
        var before = ModuleTree.Walk(model).Select(m => (m.Path, m.Module, m.Module.training)).ToList();
        var state = State(model);
        var (x, random) = (net.Input(), get_rng_state());
        quantization.fuse_modules(model, x).Dispose();
        Assert.Equal(before, ModuleTree.Walk(model).Select(m => (m.Path, m.Module, m.Module.training)));
        Assert.Equal(state, State(model));
        Assert.Equal(net.Input().data<double>().ToArray(), x.data<double>().ToArray());
        Assert.Equal(random.data<byte>().ToArray(), get_rng_state().data<byte>().ToArray());
    }

    [Fact]
    public void Random_numbers_of_torch_are_the_same_in_each_run()
    {
        using var scope = NewDisposeScope();
        using var model = new Tutorial();
        model.eval();
        using var fused = quantization.fuse_modules(model, m => m.call(rand(1, 3, 8, 8)), out var report);
        Assert.Single(report.Fused);
    }

    [Fact]
    public void A_hundred_searches_leave_no_tensor()
    {
        using var scope = NewDisposeScope();
        var net = new RandomNet(3, [new(Wiring.Nested, true, After.ReLU, true), new(Wiring.SkipFromConv, true, After.ReLU6, false), new(Wiring.DropoutBetween, false, After.ReLU, false)]);
        using var model = net.Model();
        using var x = net.Input();
        var lists = quantization.fuse_modules(model, x, out var report) is var first ? report.Fused.Select(f => f.Names).ToList() : [];
        first.Dispose();
        Assert.NotEmpty(report.NotFused);
        var copied = TensorsLeft.By(() => ModuleTree.Copy(model).Dispose());
        var listed = TensorsLeft.By(() => quantization.fuse_modules(model, lists).Dispose());
        Assert.InRange(TensorsLeft.By(() => quantization.fuse_modules(model, x).Dispose()), long.MinValue, copied + (2 * listed) + 10); // a copy to run, a fused copy to compare
    }

    [Fact]
    public void Refused_searches_leave_no_tensor()
    {
        using var model = new Tutorial();
        using var x = rand(1, 3, 8, 8);
        var copied = TensorsLeft.By(() => ModuleTree.Copy(model).Dispose());
        Assert.InRange(TensorsLeft.By(() => Assert.Throws<ModuleFusionException>(() => quantization.fuse_modules(model, x))), long.MinValue, copied + 10);
        var calls = 0;
        Assert.InRange(TensorsLeft.By(() => Assert.Throws<ModuleFusionException>(() => quantization.fuse_modules(model, m => Shifted(m, calls++)))), long.MinValue, copied + 10);

        Tensor Shifted(Tutorial m, int by)
        {
            using var shifted = x + by;
            return m.call(shifted);
        }
    }

    private static List<string> State(nn.Module model)
        => [.. from entry in ModuleTree.Walk(model)
               from tensor in entry.Module.named_parameters(false).Select(p => (p.name, value: (Tensor)p.parameter)).Concat(entry.Module.named_buffers(false).Select(b => (b.name, value: b.buffer)))
               select $"{entry.Path}.{tensor.name}: {Convert.ToHexString(tensor.value.bytes)}"];
}
