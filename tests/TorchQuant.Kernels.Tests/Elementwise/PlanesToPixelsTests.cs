using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests.Elementwise;

public class PlanesToPixelsTests
{
    private const int Canaries = 70;

    [Property(EndSize = 1_000_000, MaxTest = 300)]
    public void Every_row_gives_the_codes_of_the_plain_quantizer_with_the_channels_last(int seed)
    {
        var random = new Random(seed);
        int channels = random.Next(3) == 0 ? random.Next(1, 5) : random.Next(1, 71);
        Check(seed, batch: random.Next(1, 4), channels, positions: random.Next(1, 150), threads: random.Next(1, 4));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(37)]
    public void Every_number_of_positions_is_right(int channels)
    {
        for (int positions = 1; positions <= 67; positions++)
            Check(seed: positions, batch: 2, channels, positions, threads: 1);
    }

    [Theory]
    [InlineData(1, 40_001)]
    [InlineData(2, 20_001)]
    [InlineData(3, 12_345)]
    [InlineData(4, 10_007)]
    [InlineData(33, 1_234)]
    [InlineData(300, 131)]
    public void Pictures_of_several_pieces_are_right_on_several_threads(int channels, int positions)
    {
        Check(seed: channels, batch: 2, channels, positions, threads: 1);
        Check(seed: channels, batch: 3, channels, positions, threads: 4);
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_refused()
    {
        QParams qparams = new(1, 0);
        Assert.Contains("codes has 5 elements; expected 6", Refusal(() => Quantizer.QuantizeChannelsLast(new float[6], new byte[5], 3, 2, qparams)));
        Assert.Contains("x has 7 elements; expected a multiple of 6", Refusal(() => Quantizer.QuantizeChannelsLast(new float[7], new byte[7], 3, 2, qparams)));
        Assert.Contains("channels is 0", Refusal(() => Quantizer.QuantizeChannelsLast(new float[6], new byte[6], 0, 2, qparams)));
        Assert.Contains("positions is 0", Refusal(() => Quantizer.QuantizeChannelsLast(new float[6], new byte[6], 3, 0, qparams)));
        Assert.Contains("threads is 0", Refusal(() => Quantizer.QuantizeChannelsLast(new float[6], new byte[6], 3, 2, qparams, threads: 0)));
        Assert.Contains("zero point 256", Refusal(() => Quantizer.QuantizeChannelsLast(new float[6], new byte[6], 3, 2, new QParams(1, 256))));
        Assert.Contains("quantMin to quantMax is -1 to 255", Refusal(() => Quantizer.QuantizeChannelsLast(new float[6], new byte[6], 3, 2, qparams, quantMin: -1)));
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        float[] x = new float[3 * 1000];
        byte[] codes = new byte[x.Length];
        Assert.Equal(0, Allocations.Least(() => Quantizer.QuantizeChannelsLast(x, codes, 3, 1000, new QParams(1, 0))));
    }

    private static string Refusal(Action call) => Assert.ThrowsAny<ArgumentException>(call).Message;

    private static void Check(int seed, int batch, int channels, int positions, int threads)
    {
        float[] x = Generators.Numbers(batch * channels * positions, seed);
        QParams qparams = Generators.QParams(seed);
        (int low, int high) = (seed & 3) == 0 ? (3, 250) : (0, 255);
        byte[] plain = new byte[x.Length], expected = new byte[x.Length + 2 * Canaries];
        Quantizer.Quantize(x, plain, qparams, low, high);
        Array.Fill(expected, (byte)99);
        for (int i = 0; i < plain.Length; i++)
        {
            (int picture, int channel, int position) = (i / (channels * positions), i / positions % channels, i % positions);
            expected[Canaries + (picture * positions + position) * channels + channel] = plain[i];
        }

        foreach (Isa isa in Isa.Available)
        {
            byte[] found = new byte[expected.Length];
            Array.Fill(found, (byte)99);
            Quantizer.QuantizeChannelsLast(isa, x, found.AsSpan(Canaries, x.Length), channels, positions, qparams, low, high, threads);
            int same = expected.AsSpan().CommonPrefixLength(found);
            Assert.True(same == found.Length, same == found.Length ? "" : $"{isa} [{batch}, {channels}, {positions}], {threads} threads: code {same - Canaries} is {found[same]}, expected {expected[same]}");
        }
    }
}
