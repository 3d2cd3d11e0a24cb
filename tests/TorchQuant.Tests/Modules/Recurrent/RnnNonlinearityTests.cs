using FsCheck.Xunit;
using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Recurrent;

/// <summary>TorchSharp does not tell an RNNCell's nonlinearity, so it is found by running the cell.</summary>
public class RnnNonlinearityTests
{
    [Property(Arbitrary = [typeof(RecurrentCases)], MaxTest = 100)]
    public void Tanh_and_relu_are_told_apart_for_weights_of_every_size(RecurrentCase sample)
    {
        using var scope = NewDisposeScope();
        foreach (var nonlinearity in new[] { nn.NonLinearities.Tanh, nn.NonLinearities.ReLU })
        {
            using var floats = sample.Filled(nn.RNNCell(sample.Input, sample.Hidden, nonlinearity, sample.Bias));
            using (no_grad())
                foreach (var parameter in floats.parameters())
                    parameter.mul_(Math.Pow(10, sample.Steps - 3) * sample.Layers); // 0.01 to 30 times
            using var module = DynamicQuantizedRNNCell.from_float(floats, sample.QConfig);
            Assert.Equal(nonlinearity == nn.NonLinearities.ReLU ? "relu" : "tanh", module.Options["nonlinearity"]);
        }
    }

    [Theory]
    [InlineData(nn.NonLinearities.Tanh)]
    [InlineData(nn.NonLinearities.ReLU)]
    public void Weights_of_zeros_with_a_bias_still_tell(nn.NonLinearities nonlinearity)
    {
        using var scope = NewDisposeScope();
        using var floats = nn.RNNCell(4, 3, nonlinearity);
        using (no_grad())
            foreach (var (name, parameter) in floats.named_parameters())
                parameter.fill_(name.StartsWith("bias", StringComparison.Ordinal) ? 0.7 : 0);
        using var module = DynamicQuantizedRNNCell.from_float(floats, quantization.default_dynamic_qconfig);
        var x = rand(2, 4);
        Assert.InRange((module.call(x) - floats.call(x, zeros(2, 3))).abs().max().item<float>(), 0, 1e-6);
    }

    [Fact]
    public void A_cell_whose_sums_leave_float_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        using var floats = nn.RNNCell(4, 3, nn.NonLinearities.ReLU);
        using (no_grad())
            foreach (var (name, parameter) in floats.named_parameters())
                if (name.StartsWith("bias", StringComparison.Ordinal))
                    parameter.fill_(3e38);
        var error = Assert.Throws<ArgumentException>(() => DynamicQuantizedRNNCell.from_float(floats, quantization.default_dynamic_qconfig, "decoder.cell"));
        Assert.StartsWith("decoder.cell cannot be quantized: the nonlinearity", error.Message, StringComparison.Ordinal);
    }
}
