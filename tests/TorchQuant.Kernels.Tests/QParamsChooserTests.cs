using FsCheck;
using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class QParamsChooserTests
{
    // PyTorch's own results for the data {-1, 3}.
    [Theory]
    [InlineData(0, 255, null, 0.015686275f, 64)]
    [InlineData(0, 127, null, 0.031496063f, 32)]
    [InlineData(-128, 127, null, 0.015686275f, -64)]
    [InlineData(-128, 127, 0, 0.023529412f, 0)]
    [InlineData(0, 255, 128, 0.023529412f, 128)]
    public void Observers_choose_as_PyTorch_does(int quantMin, int quantMax, int? symmetricZeroPoint, float scale, int zeroPoint) =>
        Assert.Equal(new QParams(scale, zeroPoint), QParamsChooser.FromObserver(-1, 3, quantMin, quantMax, symmetricZeroPoint));

    [Theory]
    [InlineData(-1f, 3f, false, 0.015686275f, 64)]
    [InlineData(-1f, 3f, true, 0.031496063f, 32)]
    [InlineData(0f, 1e-6f, false, 6.1e-5f, 0)]
    [InlineData(-2f, -1f, false, 0.0078431375f, 255)]
    [InlineData(0f, 0f, false, 0.1f, 0)]
    public void Dynamic_quantization_chooses_as_PyTorch_does(float min, float max, bool reduceRange, float scale, int zeroPoint) =>
        Assert.Equal(new QParams(scale, zeroPoint), QParamsChooser.ForDynamic(min, max, reduceRange: reduceRange));

    [Fact]
    public void All_zero_data_give_observers_the_smallest_scale_and_dynamic_quantization_a_tenth()
    {
        Assert.Equal(new QParams(QParamsChooser.Epsilon, -128), QParamsChooser.FromObserver(0, 0, -128, 127));
        Assert.Equal(new QParams(QParamsChooser.Epsilon, 0), QParamsChooser.FromObserver(0, 0, -128, 127, symmetricZeroPoint: 0));
        Assert.Equal(new QParams(0.25f, 0), QParamsChooser.FromObserver(0, 0, 0, 255, eps: 0.25f));
        Assert.Equal(new QParams(0.1f, 0), QParamsChooser.ForDynamic(0, 0));
    }

    [Fact]
    public void Preserving_sparsity_puts_the_zero_point_in_the_middle()
    {
        Assert.Equal(new QParams(3f / 127, 0), QParamsChooser.ForDynamic(-1, 3, -128, 127, preserveSparsity: true));
        Assert.Equal(0, QParamsChooser.ForDynamic(0, 3, 0, 255, preserveSparsity: true).ZeroPoint);
    }

    [Theory]
    [InlineData(-1f, 3f, 0.03125f)]
    [InlineData(0f, 300f, 2f)]
    public void A_scale_forced_to_a_power_of_two_is_one(float min, float max, float scale) =>
        Assert.Equal(scale, QParamsChooser.ForDynamic(min, max, forceScalePowerOfTwo: true).Scale);

    [Fact]
    public void A_small_range_around_zero_is_enlarged_to_the_smallest_scale() =>
        Assert.Equal(new QParams(6.1e-5f, 64), QParamsChooser.ForDynamic(-1e-6f, 3e-6f));

    [Property(EndSize = 100_000)]
    public void Zero_is_a_code_and_both_ends_are_within_half_a_step(NormalFloat from, NormalFloat to)
    {
        float min = (float)Math.Min(from.Get, to.Get), max = (float)Math.Max(from.Get, to.Get);
        foreach (QParams qparams in new[] { QParamsChooser.FromObserver(min, max, 0, 255), QParamsChooser.ForDynamic(min, max) })
        {
            Assert.InRange(qparams.ZeroPoint, 0, 255);
            float low = (0 - qparams.ZeroPoint) * qparams.Scale, high = (255 - qparams.ZeroPoint) * qparams.Scale;
            float slack = qparams.Scale * 0.5001f + Math.Max(Math.Abs(min), Math.Abs(max)) * 1e-6f;
            Assert.True(low <= Math.Min(min, 0) + slack && high >= Math.Max(max, 0) - slack, $"{min} to {max}: {qparams} covers {low} to {high}");
        }
    }

    [Property(EndSize = 100_000)]
    public void Symmetric_scales_depend_on_the_larger_end_only(NormalFloat from, NormalFloat to)
    {
        float min = (float)-Math.Abs(from.Get), max = (float)Math.Abs(to.Get);
        QParams qparams = QParamsChooser.FromObserver(min, max, -127, 127, symmetricZeroPoint: 0);
        Assert.Equal(new QParams(Math.Max(Math.Max(-min, max) / 127f, QParamsChooser.Epsilon), 0), qparams);
    }

    [Theory]
    [InlineData(float.NaN, 1f)]
    [InlineData(0f, float.NaN)]
    [InlineData(float.NegativeInfinity, 1f)]
    [InlineData(float.PositiveInfinity, float.NegativeInfinity)]
    [InlineData(2f, 1f)]
    public void A_range_that_is_none_is_refused(float min, float max)
    {
        Assert.Contains("expected", Assert.Throws<ArgumentException>(() => QParamsChooser.FromObserver(min, max, 0, 255)).Message);
        Assert.Contains("expected", Assert.Throws<ArgumentException>(() => QParamsChooser.ForDynamic(min, max)).Message);
    }

    [Fact]
    public void Codes_without_a_range_and_scales_without_an_end_are_refused()
    {
        Assert.Throws<ArgumentException>(() => QParamsChooser.FromObserver(-1, 1, 1, 255));
        Assert.Throws<ArgumentException>(() => QParamsChooser.FromObserver(-1, 1, 0, 0));
        Assert.Throws<ArgumentException>(() => QParamsChooser.FromObserver(-1, 1, 0, 255, eps: 0));
        Assert.Contains("too wide", Assert.Throws<ArgumentException>(() => QParamsChooser.FromObserver(-3e38f, 3e38f, 0, 255)).Message);
        Assert.Throws<ArgumentException>(() => QParamsChooser.ForDynamic(-1, 1, 5, 5));
        Assert.True(float.IsFinite(QParamsChooser.ForDynamic(-3e38f, 3e38f).Scale));
    }

    [Fact]
    public void The_full_range_of_int32_is_a_range_of_codes() =>
        Assert.Equal(0, QParamsChooser.FromObserver(-1, 1, int.MinValue, int.MaxValue, symmetricZeroPoint: 0).ZeroPoint);
}
