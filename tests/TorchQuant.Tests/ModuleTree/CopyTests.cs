using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.ModuleTrees;

[Collection(nameof(Alone))] // counts tensors; sets the random seed
public class CopyTests
{
    public static TheoryData<string> Layers => [.. Stock.Keys];

    private static readonly Dictionary<string, (Func<nn.Module> Make, Func<nn.Module, Tensor> Run)> Stock = new()
    {
        ["Linear"] = (() => nn.Linear(4, 3), m => ((MTT)m).call(Ramp(2, 4))),
        ["Linear without bias in double"] = (() => nn.Linear(4, 3, hasBias: false, dtype: ScalarType.Float64), m => ((MTT)m).call(Ramp(2, 4).to(ScalarType.Float64))),
        ["Conv1d"] = (() => nn.Conv1d(2, 3, 3, padding: 1, stride: 2), m => ((MTT)m).call(Ramp(2, 2, 9))),
        ["Conv2d"] = (() => nn.Conv2d(2, 4, 3, groups: 2, dilation: 2), m => ((MTT)m).call(Ramp(1, 2, 9, 9))),
        ["Conv3d"] = (() => nn.Conv3d(2, 3, 2), m => ((MTT)m).call(Ramp(1, 2, 4, 4, 4))),
        ["ConvTranspose2d"] = (() => nn.ConvTranspose2d(2, 3, 2), m => ((MTT)m).call(Ramp(1, 2, 4, 4))),
        ["BatchNorm1d"] = (() => nn.BatchNorm1d(3), m => ((MTT)m).call(Ramp(4, 3))),
        ["BatchNorm2d"] = (() => nn.BatchNorm2d(3), m => ((MTT)m).call(Ramp(2, 3, 4, 4))),
        ["LayerNorm"] = (() => nn.LayerNorm([3]), m => ((MTT)m).call(Ramp(4, 3))),
        ["GroupNorm"] = (() => nn.GroupNorm(2, 4), m => ((MTT)m).call(Ramp(2, 4, 3))),
        ["Embedding"] = (() => nn.Embedding(5, 3), m => ((MTT)m).call(tensor(new long[] { 4, 0 }))),
        ["EmbeddingBag"] = (() => nn.EmbeddingBag(5, 3), m => ((EmbeddingBag)m).call(tensor(new long[] { 4, 0, 1 }), tensor(new long[] { 0, 2 }))),
        ["LSTM"] = (() => nn.LSTM(3, 4, 2, bidirectional: true, batchFirst: true), m => ((LSTM)m).call(Ramp(2, 5, 3)).Item1),
        ["GRU"] = (() => nn.GRU(3, 4, 3, bias: false), m => ((GRU)m).call(Ramp(2, 5, 3)).Item1),
        ["RNN"] = (() => nn.RNN(3, 4, 2, nonLinearity: nn.NonLinearities.ReLU), m => ((RNN)m).call(Ramp(2, 5, 3)).Item1),
        ["LSTM in double"] = (() => nn.LSTM(3, 4, 2, dropout: 0.5, dtype: ScalarType.Float64), m => ((LSTM)m).call(Ramp(2, 5, 3).to(ScalarType.Float64)).Item1),
        ["LSTMCell"] = (() => nn.LSTMCell(3, 4), m => ((LSTMCell)m).call(Ramp(2, 3), (zeros(2, 4), ones(2, 4))).Item2),
        ["GRUCell"] = (() => nn.GRUCell(3, 4, bias: false), m => ((GRUCell)m).call(Ramp(2, 3), zeros(2, 4))),
        ["RNNCell"] = (() => nn.RNNCell(3, 4, nn.NonLinearities.ReLU), m => ((RNNCell)m).call(Ramp(2, 3), zeros(2, 4))),
        ["Dropout"] = (() => nn.Dropout(0.3), m => ((MTT)m).call(Ramp(2, 3))),
        ["PReLU"] = (() => nn.PReLU(1), m => ((MTT)m).call(Ramp(2, 3))),
        ["Sequential"] = (() => nn.Sequential(("a", nn.Linear(3, 4)), ("b", nn.ReLU()), ("c", nn.Sequential(nn.Linear(4, 2)))), m => ((MTT)m).call(Ramp(2, 3))),
        ["ModuleList"] = (() => nn.ModuleList(nn.Linear(3, 3), nn.Linear(3, 2)), m => ((ModuleList<Linear>)m).Aggregate(Ramp(2, 3), (x, l) => l.call(x))),
        ["ModuleDict"] = (() => nn.ModuleDict(("a", nn.Linear(3, 3)), ("b", nn.Linear(3, 2))), m => ((ModuleDict<Linear>)m)["b"].call(((ModuleDict<Linear>)m)["a"].call(Ramp(2, 3)))),
        ["ParameterList"] = (() => nn.ParameterList(nn.Parameter(ones(3))), m => ((ParameterList)m)[0] * 2),
        ["ParameterDict"] = (() => nn.ParameterDict(("p", nn.Parameter(ones(3)))), m => ((ParameterDict)m)["p"] * 2),
        ["every field"] = (() => new EveryField(), m => ((MTT)m).call(Ramp(3))),
        ["primary constructor"] = (() => new PrimaryConstructor(nn.Linear(3, 3)), m => ((MTT)m).call(Ramp(2, 3))),
        ["collections"] = (() => new Collections(), m => ((MTT)m).call(Ramp(3))),
        ["TorchSharp's collections"] = (() => new TorchCollections(), m => ((MTT)m).call(Ramp(3))),
        ["closures"] = (() => new Closures(), m => ((MTT)m).call(Ramp(3))),
        ["plain objects"] = (() => new PlainObjects(), m => ((MTT)m).call(Ramp(3))),
    };

    private static Tensor Ramp(params long[] shape) => linspace(-1, 1, shape.Aggregate((a, b) => a * b)).reshape(shape);

    [Theory]
    [MemberData(nameof(Layers))]
    public void A_copy_computes_the_same_and_shares_nothing(string layer)
    {
        var (make, run) = Stock[layer];
        using var scope = NewDisposeScope();
        using var grad = no_grad();
        var model = make();
        model.eval();
        var expected = run(model).clone();
        var state = model.state_dict().ToDictionary(e => e.Key, e => e.Value.clone());
        var random = get_rng_state();

        var copy = ModuleTree.Copy(model);
        Assert.Equal(model.GetType(), copy.GetType());
        Assert.True(get_rng_state().equal(random).all().item<bool>());
        Assert.Equal(expected.data_bytes(), run(copy).data_bytes());
        Assert.Equal(state.Keys, copy.state_dict().Keys);
        foreach (var (name, tensor) in copy.state_dict())
        {
            Assert.Equal(state[name].data_bytes(), tensor.data_bytes());
            Assert.Equal(state[name].dtype, tensor.dtype);
            tensor.fill_(0);
        }

        Assert.All(model.state_dict(), e => Assert.Equal(state[e.Key].data_bytes(), e.Value.data_bytes()));
        copy.train();
        Assert.All(model.modules().Prepend(model), m => Assert.False(m.training));
        Assert.All(copy.modules().Prepend(copy), m => Assert.True(m.training));
        copy.Dispose();
        Assert.Equal(expected.data_bytes(), run(model).data_bytes());
        model.Dispose();
    }

    [Fact]
    public void The_original_can_be_disposed_and_the_scope_can_end_before_the_copy_is_used()
    {
        MTT copy;
        using (NewDisposeScope())
        {
            var model = nn.Sequential(nn.Linear(3, 2), nn.Embedding(2, 2) is var e ? nn.Linear(2, 2) : null!);
            copy = ModuleTree.Copy<MTT>(model);
            model.Dispose();
        }

        Assert.Equal([4L, 2], copy.call(ones(4, 3)).shape);
        copy.Dispose();
    }

    [Fact]
    public void Training_flags_requires_grad_and_buffers_are_those_of_each_module()
    {
        using var model = nn.Sequential(("a", nn.Linear(3, 2)), ("b", nn.BatchNorm1d(2)), ("c", nn.LSTM(2, 2, 2) is var l ? nn.Linear(2, 2) : null!));
        ((nn.Module)model[1]).eval();
        model.named_parameters().First(p => p.name == "a.weight").parameter.requires_grad = false;
        using var copy = ModuleTree.Copy(model);
        Assert.True(copy.training);
        Assert.False(((nn.Module)copy[1]).training);
        Assert.Equal(model.named_parameters().Select(p => (p.name, p.parameter.requires_grad)), copy.named_parameters().Select(p => (p.name, p.parameter.requires_grad)));
        Assert.Equal(model.named_buffers().Select(b => b.name), copy.named_buffers().Select(b => b.name));
    }

    [Fact]
    public void Training_the_copy_leaves_the_original_alone()
    {
        using var model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1));
        var before = model.state_dict().ToDictionary(e => e.Key, e => e.Value.data_bytes());
        using var copy = ModuleTree.Copy(model);
        var optimizer = optim.SGD(copy.parameters(), 0.1);
        copy.call(ones(4, 3)).sum().backward();
        optimizer.step();
        Assert.All(model.parameters(), p => Assert.Null(p.grad));
        Assert.All(model.state_dict(), e => Assert.Equal(before[e.Key], e.Value.data_bytes()));
        Assert.NotEqual(before["0.weight"], copy.state_dict()["0.weight"].data_bytes());
    }

    [Fact]
    public void Shared_modules_and_tied_parameters_stay_so_within_the_copy()
    {
        using var shared = ModuleTree.Copy(new Shared());
        Assert.True(shared.IsTied);
        using var tied = new Tied();
        using var copy = ModuleTree.Copy(tied);
        using (no_grad()) copy.encoder.weight!.fill_(3);
        Assert.All(copy.decoder.weight.data<float>().ToArray(), v => Assert.Equal(3f, v));
        Assert.DoesNotContain(3f, tied.decoder.weight.data<float>().ToArray());
        copy.decoder.call(ones(1, 3)).sum().backward();
        Assert.NotNull(copy.encoder.weight!.grad);
        using var second = ModuleTree.Copy(new TiedTheOtherWay());
        using (no_grad()) second.decoder.weight.fill_(3);
        Assert.Equal(3f, second.encoder.call(zeros(1, dtype: ScalarType.Int64)).max().item<float>());
    }

    [Fact]
    public void Hooks_are_the_copys_own_and_what_they_capture_of_the_model_is_copied()
    {
        using var model = nn.Sequential(("a", new Same()), ("b", new Same()));
        var other = (Same)model[1];
        var seen = new List<string>();
        ((Same)model[0]).register_forward_hook((_, _, y) =>
        {
            seen.Add("called");
            return other.call(y * 3);
        });
        using var copy = ModuleTree.Copy(model);
        using (no_grad())
            foreach (var p in copy.parameters()) p.fill_(2);
        Assert.Equal(2 * 3 * 2 * 2f, copy.call(ones(1)).item<float>());
        Assert.Equal(3f, model.call(ones(1)).item<float>());
        using var lstm = nn.LSTM(2, 2);
        lstm.register_forward_hook((_, _, _, y) => (y.Item1 * 0, y.Item2.alias(), y.Item3.alias()));
        using var copied = ModuleTree.Copy(lstm);
        Assert.Equal(0f, copied.call(ones(1, 1, 2)).Item1.abs().max().item<float>());
    }

    [Fact]
    public void A_module_redirected_by_hooks_is_redirected_in_the_copy_to_the_copy()
    {
        using var model = new Tied();
        ModuleTree.Replace(model, (_, m) => m is Linear ? new Doubling() : null, hookFallback: true);
        using var copy = ModuleTree.Copy(model);
        using (no_grad()) copy.state_dict()["decoder._weight"].fill_(5);
        Assert.Equal(10f, copy.decoder.call(ones(1, 3)).max().item<float>());
        Assert.Equal(2f, model.decoder.call(ones(1, 3)).max().item<float>());
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.1)]
    [InlineData(0.2)]
    [InlineData(0.33)]
    [InlineData(0.5)]
    [InlineData(0.125)]
    public void The_dropout_between_recurrent_layers_is_found(double p)
    {
        using var lstm = nn.LSTM(6, 8, 3, dropout: p, bidirectional: true);
        using var gru = nn.GRU(6, 8, 2, dropout: p, batchFirst: true);
        using var rnn = nn.RNN(6, 8, 2, dropout: p, nonLinearity: nn.NonLinearities.ReLU);
        rnn.eval();
        Assert.Equal((p, p, p), (RecurrentProbe.Of(lstm).Dropout, RecurrentProbe.Of(gru).Dropout, RecurrentProbe.Of(rnn).Dropout));
        Assert.False(rnn.training);
    }

    [Fact]
    public void The_dropout_is_found_in_a_large_LSTM_and_while_another_thread_draws_random_numbers()
    {
        using var paper = nn.LSTM(512, 256, 5, dropout: 0.5);
        Assert.Equal(0.5, RecurrentProbe.Of(paper).Dropout);
        using var small = nn.LSTM(6, 8, 2, dropout: 0.3);
        using var stop = new CancellationTokenSource();
        var neighbour = new Thread(() =>
        {
            // Bursts, a millisecond apart: a thread that draws without a pause leaves no moment to find anything in.
            while (!stop.Token.WaitHandle.WaitOne(1))
                for (var i = 0; i < 20; i++) rand(1000).Dispose();
        });
        neighbour.Start();
        try
        {
            Assert.Equal(0.3, RecurrentProbe.Of(small).Dropout);
        }
        finally
        {
            stop.Cancel();
            neighbour.Join();
        }
    }

    [Fact]
    public void A_dropout_that_cannot_be_found_is_refused_with_the_path_and_the_mend()
    {
        using var model = nn.ModuleDict<nn.Module>(("rnn", nn.LSTM(6, 8, 2, dropout: 0.12345)));
        var e = Assert.Throws<ModuleCopyException>(() => ModuleTree.Copy(model));
        Assert.StartsWith("rnn: the dropout probability", Assert.Single(e.Refusals));
        Assert.Contains("overload with a factory", e.Message);
    }

    [Theory]
    [InlineData(nn.NonLinearities.Tanh)]
    [InlineData(nn.NonLinearities.ReLU)]
    public void The_nonlinearity_is_found(nn.NonLinearities wanted)
    {
        using var rnn = nn.RNN(3, 4, nonLinearity: wanted, batchFirst: true);
        using var cell = nn.RNNCell(3, 4, wanted, bias: false);
        Assert.Equal((wanted, wanted), (RecurrentProbe.NonLinearity(rnn), RecurrentProbe.NonLinearity(cell)));
    }

    [Fact]
    public void Three_hundred_copies_leave_the_tensor_count_and_the_memory_flat()
    {
        using var model = new Various();
        long Drift(int times, Func<nn.Module> make)
        {
            make().Dispose();
            Collect();
            var before = Tensor.TotalCount;
            for (var i = 0; i < times; i++) make().Dispose();
            Collect();
            return Tensor.TotalCount - before;
        }

        // TorchSharp counts a Parameter and the tensor it took the handle from, and misses the end of the second: compare with making the model.
        var made = Drift(30, () => new Various());
        var memory = Environment.WorkingSet;
        Assert.InRange(Drift(300, () => ModuleTree.Copy(model)), long.MinValue, (10 * made) + 10);
        Assert.InRange(Environment.WorkingSet - memory, long.MinValue, 100L << 20); // 300 leaked copies would be 600 MB
    }

    [Fact]
    public void Everything_that_cannot_be_copied_is_listed_and_nothing_stays_behind()
    {
        using var model = new Awkward();
        ModuleTree.Walk(model);
        var before = Tensor.TotalCount;
        var e = Assert.Throws<ModuleCopyException>(() => ModuleTree.Copy(model));
        Assert.Equal(
            [
                "encoder: a TransformerEncoderLayer keeps its options in native code, where they cannot be read",
                "optimizer: a SGD holds the parameters of the original and cannot be copied",
                "set: a HashSet<Linear> holds modules or tensors in a way that cannot be copied",
            ], e.Refusals.Order());
        Collect();
        Assert.InRange(Tensor.TotalCount - before, long.MinValue, 2); // TorchSharp counts fc's two parameters twice when they are made, once when they go
        Assert.Equal([1L, 2], model.fc.call(ones(1, 2)).shape);
    }

    private static void Collect()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private sealed class Various : MTT
    {
        private readonly Embedding embedding = nn.Embedding(50, 16);
        private readonly EmbeddingBag bag = nn.EmbeddingBag(20, 16);
        private readonly LSTM lstm = nn.LSTM(16, 16);
        private readonly Sequential sequential = nn.Sequential(nn.Linear(512, 1024), nn.BatchNorm1d(1024));
        private readonly ModuleList<Linear> list = nn.ModuleList(nn.Linear(2, 2));

        public Various() : base(nameof(Various)) => RegisterComponents();

        public override Tensor forward(Tensor input) => list[0].call(sequential.call(lstm.call(embedding.call(input) + bag.call(input)).Item1));
    }

    private sealed class Tied : MTT
    {
        public readonly Embedding encoder = nn.Embedding(4, 3);
        public readonly Linear decoder = nn.Linear(3, 4, hasBias: false);

        public Tied() : base(nameof(Tied))
        {
            decoder.weight = encoder.weight!;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => decoder.call(encoder.call(input));
    }

    private sealed class TiedTheOtherWay : MTT
    {
        public readonly Linear decoder = nn.Linear(3, 4, hasBias: false);
        public readonly Embedding encoder = nn.Embedding(4, 3);

        public TiedTheOtherWay() : base(nameof(TiedTheOtherWay))
        {
            encoder.weight = decoder.weight;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => decoder.call(encoder.call(input));
    }

    private sealed class Awkward : MTT
    {
        public readonly Linear fc = nn.Linear(2, 2);
        private readonly TransformerEncoderLayer encoder = nn.TransformerEncoderLayer(4, 2, 8);
        private readonly HashSet<Linear> set = [nn.Linear(2, 2)];
        private readonly optim.Optimizer optimizer;

        public Awkward() : base(nameof(Awkward))
        {
            RegisterComponents();
            optimizer = optim.SGD(fc.parameters(), 0.1);
        }

        public override Tensor forward(Tensor input)
        {
            optimizer.zero_grad();
            return set.First().call(encoder.call(input));
        }
    }
}

internal static class TensorBytes
{
    /// <summary>The content of a tensor, to be compared bit for bit.</summary>
    public static byte[] data_bytes(this Tensor tensor)
    {
        using var plain = tensor.detach().contiguous();
        return plain.bytes.ToArray();
    }
}
