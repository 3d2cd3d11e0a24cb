using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Dynamic;

public class WholeModelTests
{
    private sealed class EveryHolder : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _field = nn.Linear(4, 4);
        private readonly nn.Module<Tensor, Tensor>[] _array = [nn.Linear(4, 4), nn.Linear(4, 4)];
        private readonly List<nn.Module<Tensor, Tensor>> _list = [nn.Linear(4, 4)];
        private readonly Dictionary<string, nn.Module<Tensor, Tensor>> _dictionary = new() { ["a"] = nn.Linear(4, 4) };
        private readonly ModuleList<nn.Module<Tensor, Tensor>> _moduleList = nn.ModuleList<nn.Module<Tensor, Tensor>>(nn.Linear(4, 4));
        private readonly ModuleDict<nn.Module<Tensor, Tensor>> _moduleDict = nn.ModuleDict<nn.Module<Tensor, Tensor>>(("b", nn.Linear(4, 4)));
        private readonly Sequential _sequential = nn.Sequential(("c", nn.Linear(4, 4)), ("d", nn.Sequential(("e", nn.Linear(4, 4)))));

        public EveryHolder() : base(nameof(EveryHolder)) => RegisterComponents();

        public nn.Module<Tensor, Tensor> Property { get; } = nn.Linear(4, 4);

        public override Tensor forward(Tensor input)
        {
            nn.Module<Tensor, Tensor>[] all = [_field, .. _array, .. _list, _dictionary["a"], _moduleList[0], _moduleDict["b"], _sequential, Property];
            return all.Aggregate(input, (x, module) => module.call(x));
        }
    }

    [Fact]
    public void Linears_are_found_in_every_way_a_model_holds_them()
    {
        using var scope = NewDisposeScope();
        using var model = new EveryHolder();
        var x = randn(3, 4);
        var expected = model.call(x);
        using var quantized = quantization.quantize_dynamic(model);
        var modules = ModuleTree.Walk(quantized).Select(m => m.Module).ToList();
        Assert.Equal(10, modules.Count(m => m is DynamicQuantizedLinear));
        Assert.DoesNotContain(modules, m => m is Linear);
        Assert.True((expected - quantized.call(x)).abs().max().item<float>() < 0.05f);
        // What forward really calls are the quantized modules: with other weights it computes something else.
        foreach (var linear in modules.OfType<DynamicQuantizedLinear>())
            linear.state_dict()["bias"].fill_(1);
        Assert.True((expected - quantized.call(x)).abs().max().item<float>() > 0.2f);
        Assert.True(expected.Equals(model.call(x)));
    }

    [Fact]
    public void The_tutorials_language_model_shrinks_to_the_bytes_that_the_formula_says()
    {
        const int words = 120, embedding = 64, hidden = 32, layers = 3;
        using var model = new LanguageModel(words, embedding, hidden, layers);
        long lstmRows = 2 * layers * 4 * hidden, weights = (4 * hidden * (embedding + hidden)) + ((layers - 1) * 4 * hidden * 2 * hidden) + (words * hidden);
        long biases = 4 * (lstmRows + words), table = 4 * words * embedding, matrices = (2 * layers) + 1;

        Assert.Equal((4 * weights) + biases + table, Bytes(model));
        using var perTensor = quantization.quantize_dynamic(model, backend: "fbgemm");
        Assert.Equal(weights + biases + table + (8 * matrices), Bytes(perTensor));
        using var perChannel = quantization.quantize_dynamic(model);
        Assert.Equal(weights + biases + table + (4 * (lstmRows + words)) + (4 * matrices), Bytes(perChannel));
        using var half = quantization.quantize_dynamic(model, dtype: qdtype.float16);
        Assert.Equal((2 * weights) + biases + table, Bytes(half));
        using var all = quantization.quantize_dynamic(perTensor, dtype: qdtype.quint8);
        Assert.Equal(weights + biases + (words * (embedding + 8)) + (8 * matrices), Bytes(all));
        Assert.Equal(Bytes(all), ModuleTree.Walk(all).Select(m => m.Module).OfType<IQuantizedModule>().Sum(m => m.WeightBytes));
    }

    [Fact]
    public void The_quantized_language_model_says_nearly_what_the_float_one_says()
    {
        using var scope = NewDisposeScope();
        using var model = new LanguageModel(120, 64, 32, 2);
        var words = arange(25, dtype: ScalarType.Int64).reshape(25, 1);
        var expected = model.call(words);
        using var int8 = quantization.quantize_dynamic(model);
        using var all = quantization.quantize_dynamic(int8, dtype: qdtype.quint8);
        using var half = quantization.quantize_dynamic(model, dtype: qdtype.float16);
        var largest = expected.abs().max().item<float>();
        Assert.InRange((expected - int8.call(words)).abs().max().item<float>() / largest, 1e-6f, 0.03f);
        Assert.InRange((expected - all.call(words)).abs().max().item<float>() / largest, 1e-6f, 0.04f);
        Assert.InRange((expected - half.call(words)).abs().max().item<float>() / largest, 1e-9f, 0.002f);
    }

    [Fact]
    public void Hooks_of_a_replaced_module_go_on_being_called()
    {
        using var scope = NewDisposeScope();
        using var model = new TwoLevels();
        var calls = 0;
        model.first.register_forward_hook((_, _, output) => { calls++; return output; });
        quantization.quantize_dynamic(model, inplace: true);
        model.call(randn(2, 8));
        Assert.Equal(1, calls);
    }

    private static long Bytes(nn.Module model) => model.state_dict().Values.Sum(t => t.numel() * t.element_size());
}
