using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Analyses;

public class LayerErrorsTests
{
    [Fact]
    public void The_ratio_is_twenty_times_the_logarithm_of_the_norms()
    {
        using var scope = NewDisposeScope();
        using var before = Scaled(1f);
        using var after = Scaled(0.9f);
        var row = Assert.Single(LayerErrors.Compare(before, after, [randn(5, 3), randn(7, 3)]).Rows);
        Assert.Equal("fc", row.Path);
        Assert.Equal(("Linear", "Linear"), (row.Before, row.After));
        Assert.Equal(12 * 3, row.Count);
        Assert.Equal(20, row.Sqnr, 3); // x against 0.9 x
    }

    [Fact]
    public void Equal_models_have_no_error()
    {
        using var scope = NewDisposeScope();
        using var model = Scaled(1f);
        var row = Assert.Single(LayerErrors.Compare(model, model, [ones(2, 3)]).Rows);
        Assert.Equal((6, 6.0, 0.0, 0.0), (row.Count, row.Signal, row.Noise, row.MeanAbsoluteError));
        Assert.Equal(double.PositiveInfinity, row.Sqnr);
    }

    [Fact]
    public void Layers_of_an_int8_model_and_the_block_with_the_sum_are_compared_on_all_batches()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        using var model = new Net();
        model.eval();
        using var fused = quantization.fuse_modules(model, ["block.fc", "block.relu"]);
        using var prepared = quantization.prepare(fused, quantization.get_default_qconfig());
        var data = randn(64, 20, generator: generator);
        using var off = no_grad();
        prepared.call(data);
        using var int8 = quantization.convert(prepared);

        var errors = LayerErrors.Compare(fused, int8, [data[..32], data[32..]]);
        Assert.Equal(["quant", "block.fc", "block", "head"], errors.Rows.Select(r => r.Path));
        Assert.Equal((nameof(LinearReLU), nameof(QuantizedLinear)), (errors.Rows[1].Before, errors.Rows[1].After));
        var (x, y) = (fused.call(data), int8.call(data));
        var head = errors.Rows[^1];
        Assert.Equal(20 * Math.Log10(x.norm().item<float>() / (x - y).norm().item<float>()), head.Sqnr, 2);
        Assert.Equal((x - y).abs().mean().item<float>(), head.MeanAbsoluteError, 5);
        Assert.All(errors.Rows, r => Assert.InRange(r.Sqnr, 20, 60));
        Assert.Contains("block.fc", errors.ToString(), StringComparison.Ordinal);
        Assert.Equal(y, int8.call(data)); // no hook is left that would fail here
    }

    [Fact]
    public void Comparing_leaves_no_tensors_behind()
    {
        using var model = Scaled(1f);
        using var scope = NewDisposeScope();
        using var data = ones(2, 3);
        LayerErrors.Compare(model, model, [data]);
        Assert.Equal(1, scope.DisposablesCount);
    }

    [Fact]
    public void What_cannot_be_compared_is_refused_with_its_name()
    {
        using var scope = NewDisposeScope();
        using var model = Scaled(1f);
        using var wider = nn.Sequential(("fc", nn.Linear(3, 4)));
        using var other = nn.Sequential(("other", nn.Linear(3, 3)));
        wider.eval();
        other.eval();
        Assert.Contains("fc gives [2, 3] in the first model and [2, 4] in the second", Message(wider, [ones(2, 3)]), StringComparison.Ordinal);
        Assert.Contains("no layers of the same dotted names", Message(other, [ones(2, 3)]), StringComparison.Ordinal);
        Assert.Contains("no data", Message(model, []), StringComparison.Ordinal);
        wider.train();
        Assert.Contains("training mode", Message(wider, [ones(2, 3)]), StringComparison.Ordinal);

        string Message(nn.Module<Tensor, Tensor> after, Tensor[] data) => Assert.Throws<ArgumentException>(() => LayerErrors.Compare(model, after, data)).Message;
    }

    private static nn.Module<Tensor, Tensor> Scaled(float factor)
    {
        var fc = nn.Linear(3, 3, hasBias: false);
        using (no_grad())
        {
            fc.weight.copy_(eye(3));
            fc.weight.mul_(factor);
        }

        var model = nn.Sequential(("fc", fc));
        model.eval();
        return model;
    }

    private sealed class Net : nn.Module<Tensor, Tensor>
    {
        private readonly QuantStub quant = new();
        private readonly nn.Module<Tensor, Tensor> block = new Block();
        private readonly nn.Module<Tensor, Tensor> head = nn.Linear(20, 5);
        private readonly DeQuantStub dequant = new();

        public Net() : base(nameof(Net)) => RegisterComponents();

        public override Tensor forward(Tensor input) => dequant.call(head.call(block.call(quant.call(input))));
    }

    private sealed class Block : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> fc = nn.Linear(20, 20);
        private readonly nn.Module<Tensor, Tensor> relu = nn.ReLU();
        private readonly FloatFunctional skip = new();

        public Block() : base(nameof(Block)) => RegisterComponents();

        public override Tensor forward(Tensor input) => skip.add(input, relu.call(fc.call(input)));
    }
}
