using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.ModuleTrees;

[Collection(nameof(Alone))]
public class HookFallbackTests
{
    [Fact]
    public void Calls_of_a_sealed_field_reach_the_replacement()
    {
        using var model = new Sealed();
        var replaced = ModuleTree.Replace(model, Stand, hookFallback: true);
        Assert.True(replaced.Single(r => r.Path == "fc").ByHook);
        foreach (var shape in new long[][] { [2], [3, 2], [2, 3, 2] })
        {
            using var y = model.fc.call(ones(shape));
            Assert.Equal(shape, y.shape);
            Assert.All(y.data<float>().ToArray(), v => Assert.Equal(2f, v));
        }
    }

    [Fact]
    public void Forward_is_not_redirected_as_documented()
    {
        using var model = new Sealed();
        using var before = model.fc.forward(ones(1, 2));
        ModuleTree.Replace(model, Stand, hookFallback: true);
        Assert.True(before.equal(model.fc.forward(ones(1, 2))).all().item<bool>());
    }

    [Fact]
    public void The_replacement_stands_in_state_dict_and_follows_train()
    {
        using var model = new Sealed();
        var made = ModuleTree.Replace(model, Stand, hookFallback: true).Single(r => r.Path == "fc").New;
        Assert.Contains("fc._weight", model.state_dict().Keys);
        Assert.DoesNotContain("fc.weight", model.state_dict().Keys);
        model.eval();
        Assert.False(made.training);
        Assert.Single(ModuleTree.Walk(model), m => m.Path == "fc");
        Assert.Contains(ModuleTree.Walk(model), m => ReferenceEquals(m.Module, made));
    }

    [Fact]
    public void Replacing_again_redirects_to_the_newest()
    {
        using var model = new Sealed();
        ModuleTree.Replace(model, Stand, hookFallback: true);
        ModuleTree.Replace(model, (_, m) => m is Doubling ? new Same() : null);
        Assert.Equal([1f, 1f], model.fc.call(ones(2)).data<float>().ToArray());
        Assert.Contains(ModuleTree.Walk(model), m => m.Path == "fc" && m.Module is Same);
    }

    [Fact]
    public void Recurrent_modules_and_embedding_bags_are_redirected_with_all_arguments()
    {
        using var model = new Sealed();
        ModuleTree.Replace(model, Stand, hookFallback: true);
        var x = ones(3, 5, 2);
        Assert.Equal(7f, model.lstm.call(x, (zeros(1, 5, 2), full(1, 5, 2, 7f))).Item3.max().item<float>());
        Assert.Equal(x.shape, model.lstm.call(x).Item1.shape);
        Assert.Equal(7f, model.gru.call(x, full(1, 5, 2, 7f)).Item2.max().item<float>());
        Assert.Equal(x.shape, model.gru.call(x).Item1.shape);
        Assert.Equal(7f, model.cell.call(ones(5, 2), full(5, 2, 7f)).max().item<float>());
        Assert.Equal(9f, model.bag.call(tensor(new long[] { 0, 1 }), tensor(new long[] { 0 }), full(2, 9f)).max().item<float>());
        Assert.Equal(5f, model.embedding.call(full(2, 5L, dtype: ScalarType.Int64)).max().item<float>());
    }

    [Fact]
    public void A_thousand_redirected_calls_leave_the_tensor_count_flat()
    {
        using var model = new Sealed();
        ModuleTree.Replace(model, Stand, hookFallback: true);
        using var x = ones(3, 5, 2);
        void Calls(int n)
        {
            for (var i = 0; i < n; i++)
            {
                model.fc.call(x).Dispose();
                var (y, h, c) = model.lstm.call(x);
                y.Dispose();
                h.Dispose();
                c.Dispose();
            }
        }

        Calls(10);
        var before = Tensor.TotalCount;
        Calls(1000);
        // The state that LSTM.forward itself makes (h0, c0) is left to the finalizer by TorchSharp: run it.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.InRange(Tensor.TotalCount - before, long.MinValue, 20);
    }

    [Fact]
    public void Without_the_option_the_same_model_is_refused()
        => Assert.Equal(6, Assert.Throws<ModuleReplacementException>(() => ModuleTree.Replace(new Sealed(), Stand)).Refusals.Count);

    [Fact]
    public void Hooks_that_were_there_see_the_replacements_values()
    {
        using var model = new Sealed();
        var seen = new List<float[]>();
        model.fc.register_forward_hook((_, x, y) =>
        {
            seen.Add([.. x.data<float>(), .. y.data<float>()]);
            return y.alias();
        });
        ModuleTree.Replace(model, Stand, hookFallback: true);
        Assert.Equal([2f, 2f], model.fc.call(ones(2)).data<float>().ToArray());
        Assert.Equal([1f, 1f, 2f, 2f], seen.Single());
    }

    private static nn.Module? Stand(string path, nn.Module module) => module switch
    {
        Linear => new Doubling(),
        Embedding => new Floats(),
        LSTM => new State3(),
        GRU => new State2(),
        GRUCell => new Second(),
        EmbeddingBag => new Third(),
        _ => null,
    };

    private sealed class Sealed : nn.Module<Tensor, Tensor>
    {
        public readonly Linear fc = nn.Linear(2, 2);
        public readonly LSTM lstm = nn.LSTM(2, 2);
        public readonly GRU gru = nn.GRU(2, 2, batchFirst: true);
        public readonly GRUCell cell = nn.GRUCell(2, 2);
        public readonly EmbeddingBag bag = nn.EmbeddingBag(3, 2);
        public readonly Embedding embedding = nn.Embedding(3, 2);

        public Sealed() : base(nameof(Sealed)) => RegisterComponents();

        public override Tensor forward(Tensor input) => fc.call(input);
    }

    private sealed class Floats() : nn.Module<Tensor, Tensor>(nameof(Floats))
    {
        public override Tensor forward(Tensor x) => x.to(ScalarType.Float32);
    }

    private sealed class State3() : nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)>(nameof(State3))
    {
        public override (Tensor, Tensor, Tensor) forward(Tensor x, (Tensor, Tensor)? s) => (x.alias(), s?.Item1.alias() ?? x.alias(), s?.Item2.alias() ?? x.alias());
    }

    private sealed class State2() : nn.Module<Tensor, Tensor, (Tensor, Tensor)>(nameof(State2))
    {
        public override (Tensor, Tensor) forward(Tensor x, Tensor h) => (x.alias(), h?.alias() ?? x.alias());
    }

    private sealed class Second() : nn.Module<Tensor, Tensor, Tensor>(nameof(Second))
    {
        public override Tensor forward(Tensor x, Tensor h) => h.alias();
    }

    private sealed class Third() : nn.Module<Tensor, Tensor?, Tensor?, Tensor>(nameof(Third))
    {
        public override Tensor forward(Tensor x, Tensor? offsets, Tensor? weights) => weights!.alias();
    }
}
