using FsCheck.Xunit;
using TorchQuant.Kernels;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Elementwise;

/// <summary>Against what quantized::cat does to the codes of a tensor whose qparams are not the output's.</summary>
public class RequantizeOracleTests
{
    /// <summary>libtorch's channels-last cat takes the channels of a tensor in eights.</summary>
    private const int Block = 8;

    [Property(EndSize = 1_000_000, MaxTest = 150)]
    public void Tables_equal_libtorchs_cat_in_each_layout(int seed)
    {
        using var scope = NewDisposeScope();
        using var oracle = new ElementwiseOracle();
        int channels = new Random(seed).Next(1, 80);
        QParams input = RandomCodes.QParams(seed), output = RandomCodes.QParams(seed + 1);
        if (seed % 2 == 0)
            output = output with { Scale = 2 * input.Scale };
        byte[] codes = RandomCodes.Codes(2 * channels * 9, seed);
        var (first, second) = (oracle.Quantized(codes, input, 2, channels, 3, 3), oracle.Quantized(codes, output, 2, channels, 3, 3));
        CodeTable plain = CodeTable.Requantize(input, output), fused = CodeTable.RequantizeFused(input, output);

        byte[] channelsFirst = ElementwiseOracle.Codes(oracle.Cat(first, second, 1, output).narrow(1, 0, channels));
        byte[] channelsLast = ElementwiseOracle.Codes(oracle.Cat(ElementwiseOracle.ChannelsLast(first), ElementwiseOracle.ChannelsLast(second), 1, output).narrow(1, 0, channels));
        for (int i = 0; i < codes.Length; i++)
        {
            Assert.Equal(plain.Codes[codes[i]], channelsFirst[i]);
            bool isLeftOver = i / 9 % channels >= channels / Block * Block;
            Assert.Equal((isLeftOver ? plain : fused).Codes[codes[i]], channelsLast[i]);
        }
    }

    [Property(EndSize = 1_000_000, MaxTest = 150)]
    public void Requantizing_is_dequantizing_and_quantizing(int seed)
    {
        using var scope = NewDisposeScope();
        using var oracle = new ElementwiseOracle();
        QParams input = RandomCodes.QParams(seed), output = RandomCodes.QParams(seed + 1);
        byte[] codes = RandomCodes.Codes(300, seed), found = new byte[300];
        CodeTable.Requantize(input, output).Apply(codes, found);
        Assert.Equal(ElementwiseOracle.Codes(quantize_per_tensor(oracle.Quantized(codes, input).dequantize(), output.Scale, output.ZeroPoint, ScalarType.QUInt8)), found);
    }
}
