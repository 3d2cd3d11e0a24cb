using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.ModuleTrees;

public class QuantizedCopyTests
{
    private static Sequential Quantized()
    {
        var model = nn.Sequential(("a", nn.Linear(8, 6)), ("b", nn.Sequential(("c", nn.Linear(6, 4)))));
        ModuleTree.Replace(model, (path, m) => m is Linear l ? DynamicQuantizedLinear.from_float(l, quantization.default_dynamic_qconfig, path) : null);
        return model;
    }

    [Fact]
    public void A_copy_of_a_quantized_model_computes_the_same_bits_and_is_its_own()
    {
        var model = Quantized();
        var seen = 0;
        ((DynamicQuantizedLinear)model[0]).register_forward_hook((_, _, y) =>
        {
            seen++;
            return y * 2;
        });
        using var copy = ModuleTree.Copy(model);
        var x = linspace(-1, 1, 24).reshape(3, 8);
        var expected = model.call(x).data_bytes();
        Assert.Equal(expected, copy.call(x).data_bytes());
        Assert.Equal(2, seen);
        Assert.Empty(ModuleTree.Walk(model).Select(m => m.Module).Intersect(ModuleTree.Walk(copy).Select(m => m.Module)));
        Assert.Equal("b.c", ((DynamicQuantizedLinear)ModuleTree.Walk(copy).Single(m => m.Path == "b.c").Module).Path);
        model.Dispose();
        Assert.Equal(expected, copy.call(x).data_bytes());
    }

    [Fact]
    public void A_quantized_module_counts_what_its_state_dict_holds()
    {
        using var before = nn.Sequential(("a", nn.Linear(8, 6)), ("b", nn.Sequential(("c", nn.Linear(6, 4)))));
        using var model = Quantized();
        var size = ModelSize.Of(model);
        Assert.Equal(model.state_dict().Values.Sum(t => t.numel() * t.element_size()), size.TotalBytes);
        Assert.Equal(["a", "b.c"], size.Rows.Select(r => r.Path));
        Assert.Equal(("DynamicQuantizedLinear", (8L * 6) + 6), (size.Rows[0].Type, size.Rows[0].Parameters));
        Assert.Equal(size.TotalBytes / (double)ModelSize.Of(before).TotalBytes, ModelSize.Compare(before, model).Ratio);
    }

    [Fact]
    public void Settings_and_word_lists_of_a_model_are_its_own_where_they_are_collections()
    {
        using var model = new WithWords();
        using var copy = ModuleTree.Copy(model);
        copy.Words.Add("new");
        copy.Counts["a"] = 2;
        copy.Grid[1, 0] = 7;
        Assert.Equal((1, 1, 0), (model.Words.Count, model.Counts["a"], model.Grid[1, 0]));
        Assert.Equal(StringComparer.OrdinalIgnoreCase, copy.Counts.Comparer);
        Assert.Same(model.Settings, copy.Settings);
    }

    private sealed class WithWords() : nn.Module<Tensor, Tensor>(nameof(WithWords))
    {
        public List<string> Words { get; } = ["old"];

        public Dictionary<string, int> Counts { get; } = new(StringComparer.OrdinalIgnoreCase) { ["a"] = 1 };

        public int[,] Grid { get; } = new int[2, 2];

        public Version Settings { get; } = new(1, 0);

        public override Tensor forward(Tensor input) => input.alias();
    }
}
