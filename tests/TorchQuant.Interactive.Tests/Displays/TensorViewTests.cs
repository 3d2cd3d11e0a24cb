using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Interactive.Tests.Displays;

[Collection("torch")]
public class TensorViewTests
{
    [Fact]
    public void A_quantized_tensor_tells_scale_zero_point_codes_and_real_values()
    {
        using var values = tensor(new[] { -1f, 0, 0.5f, 1.5f });
        using var codes = quantize_per_tensor(values, 0.01, 100, ScalarType.QUInt8);
        var text = Display.Of(codes).ToText();
        Assert.Contains("QUInt8", text, StringComparison.Ordinal);
        Assert.Contains("per tensor", text, StringComparison.Ordinal);
        Assert.Contains("scale                  0.01", text, StringComparison.Ordinal);
        Assert.Contains("zero point             100", text, StringComparison.Ordinal);
        Assert.Contains("codes                  0 to 250", text, StringComparison.Ordinal);
        Assert.Contains("first values           −1, 0, 0.5, 1.5", text, StringComparison.Ordinal);
        Assert.Contains($"background:{Palette.Int8}", Display.Of(codes).ToHtml(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_quantized_per_channel_tells_its_axis_and_the_range_of_its_scales()
    {
        using var values = tensor(new float[,] { { -1, 1 }, { -2, 2 }, { 0, 4 } });
        using var scales = tensor(new[] { 0.01, 0.02, 0.04 });
        using var zeroPoints = zeros(3, ScalarType.Int64);
        using var codes = quantize_per_channel(values, scales, zeroPoints, 0, ScalarType.QInt8);
        var text = Display.Of(codes).ToText();
        Assert.Contains("per channel, axis 0, 3 channels", text, StringComparison.Ordinal);
        Assert.Contains("0.01 to 0.04", text, StringComparison.Ordinal);
        Assert.Contains("−100 to 100", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Statistics_leave_out_what_is_not_finite_and_count_zeros()
    {
        using var values = tensor(new[] { 0f, 2, 4, float.NaN });
        var text = Display.Of(values).ToText();
        Assert.Contains("0, 2, 4", text, StringComparison.Ordinal);
        Assert.Contains("standard deviation     2", text, StringComparison.Ordinal);
        Assert.Contains("zeros                  1 (25 %)", text, StringComparison.Ordinal);
        Assert.Contains("not finite             1", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Axes_after_the_first_lie_across_the_heat_map()
    {
        using var values = arange(24, ScalarType.Float32).reshape(2, 3, 4);
        var map = Assert.IsType<HeatMap>(Assert.IsType<VisualGroup>(Display.Of(values)).Visuals[1]);
        Assert.Equal((2, 12), (map.Rows, map.Columns));
        Assert.Equal(12, map[1, 0]);
        using var transposed = values.permute(2, 1, 0);
        Assert.Equal(12, Assert.IsType<HeatMap>(Assert.IsType<VisualGroup>(Display.Of(transposed)).Visuals[1])[0, 1]);
    }

    [Fact]
    public void A_large_heat_map_keeps_the_outlier_of_each_block_and_says_so()
    {
        var numbers = new double[100 * 300];
        numbers[57 * 300 + 211] = -9;
        numbers[99 * 300 + 299] = double.NaN;
        var map = HeatMap.Of("m", 100, 300, numbers);
        Assert.Equal((25, 60), (map.Rows, map.Columns));
        Assert.Equal(-9, map[57 / 4, 211 / 5]);
        Assert.True(double.IsNaN(map[24, 59]));
        Assert.Equal(2, map.Values.Count(value => value != 0));
        Assert.Contains("4 × 5 (100 × 300 in all)", map.Caption, StringComparison.Ordinal);
        Assert.Contains("3 × 2 cells and 5 numbers", Assert.Throws<ArgumentException>(() => Chart.Heat("m", 3, 2, [1, 2, 3, 4, 5])).Message, StringComparison.Ordinal);
    }
}
