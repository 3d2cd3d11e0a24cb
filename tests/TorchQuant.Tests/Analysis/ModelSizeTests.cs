using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Analyses;

public class ModelSizeTests
{
    [Fact]
    public void Bytes_are_those_of_the_state_dict()
    {
        using var model = nn.Sequential(("fc", nn.Linear(10, 20)), ("bn", nn.BatchNorm1d(20)), ("act", nn.ReLU()));
        var size = ModelSize.Of(model);
        Assert.Equal(model.state_dict().Values.Sum(t => t.numel() * t.element_size()), size.TotalBytes);
        Assert.Equal(["fc", "bn"], size.Rows.Select(r => r.Path));
        Assert.Equal(new ModuleSize("fc", "Linear", 220, 880), size.Rows[0]);
        Assert.Equal((80 * 4) + 8, size.Rows[1].Bytes);
    }

    [Fact]
    public void The_paper_model_is_113_94_MB()
    {
        using var model = nn.ModuleList<nn.Module>(nn.Embedding(33278, 512), nn.LSTM(512, 256, 5), nn.Linear(256, 33278));
        var size = ModelSize.Of(model);
        Assert.Equal(113.94, size.Megabytes, 2);
        Assert.Equal(size.TotalBytes, size.Rows.Sum(r => r.Bytes));
    }

    [Fact]
    public void Shared_parameters_count_once_also_through_a_getter_that_makes_a_new_object()
    {
        using var model = new Tied();
        Assert.Equal(12 * 4, ModelSize.Of(model).TotalBytes);
        Assert.Equal(["encoder"], ModelSize.Of(model).Rows.Select(r => r.Path));
    }

    [Fact]
    public void A_comparison_has_a_row_for_each_module_of_either_and_ratios()
    {
        using var before = nn.Sequential(("fc", nn.Linear(10, 20)), ("old", nn.Linear(1, 1)));
        using var after = nn.Sequential(("fc", nn.Linear(10, 5, hasBias: false)), ("new", nn.Linear(1, 1)));
        var comparison = ModelSize.Compare(before, after);
        Assert.Equal(["fc", "old", "new"], comparison.Rows.Select(r => r.Path));
        Assert.Equal(200 / 880.0, comparison.Rows[0].Ratio);
        Assert.Equal(0, comparison.Rows[1].Ratio);
        Assert.Equal(double.NaN, comparison.Rows[2].Ratio);
        Assert.Equal(208 / 888.0, comparison.Ratio);
        Assert.Contains("0.234", comparison.ToString());
    }

    [Fact]
    public void The_text_is_a_table_with_a_total()
    {
        using var model = nn.Sequential(("fc", nn.Linear(1000, 1000)));
        Assert.Equal(
            """
            module  type    parameters     MB
            ------  ------  ----------  -----
            fc      Linear     1001000  4.004
            total              1001000  4.004

            """.ReplaceLineEndings(), ModelSize.Of(model).ToString());
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
}
