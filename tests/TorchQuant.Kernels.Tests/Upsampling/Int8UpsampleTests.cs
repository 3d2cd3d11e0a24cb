using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests.Upsampling;

public class Int8UpsampleTests
{
    private const int Canaries = 70;

    [Property(EndSize = 1_000_000, MaxTest = 200)]
    public void Every_row_repeats_the_nearest_code(int seed)
    {
        Case c = Case.Of(seed);
        AssertEveryRow(c, c.Expected((y, x, channel) => c.At((int)Math.Floor(y * (float)c.Vertical.Input / c.Vertical.Output), (int)Math.Floor(x * (float)c.Horizontal.Input / c.Horizontal.Output), channel)),
            (isa, output) => Int8Upsample.Nearest(isa, c.Codes, 1, c.Vertical, c.Horizontal, c.Channels, output, threads: 1 + (seed & 1)));
    }

    [Property(EndSize = 1_000_000, MaxTest = 200)]
    public void Every_row_is_within_half_a_code_of_the_exact_interpolation_and_all_agree(int seed)
    {
        Case c = Case.Of(seed);
        byte[] first = new byte[c.OutputLength];
        Int8Upsample.Bilinear(Isa.Available[^1], c.Codes, 1, c.Vertical, c.Horizontal, c.Channels, c.ZeroPoint, first, threads: 1);
        AssertEveryRow(c, first, (isa, output) => Int8Upsample.Bilinear(isa, c.Codes, 1, c.Vertical, c.Horizontal, c.Channels, c.ZeroPoint, output, threads: 1 + (seed & 1)));
        for (int o = 0; o < first.Length; o++)
        {
            (int channel, int x, int y) = (o % c.Channels, o / c.Channels % c.Horizontal.Output, o / c.Channels / c.Horizontal.Output);
            Assert.InRange(first[o], c.Interpolated(y, x, channel) - 0.501, c.Interpolated(y, x, channel) + 0.501);
        }
    }

    [Fact]
    public void Equal_sizes_are_a_copy_and_constant_pictures_stay()
    {
        byte[] codes = Generators.Activations(5 * 4 * 40, seed: 1), output = new byte[codes.Length], constant = new byte[9 * 11 * 40];
        Int8Upsample.Bilinear(codes, 1, new UpsampleDimension(5, 5), new UpsampleDimension(4, 4), 40, 3, output);
        Assert.Equal(codes, output);
        Int8Upsample.Nearest(codes, 1, new UpsampleDimension(5, 5, 1.1), new UpsampleDimension(4, 4), 40, output);
        Assert.Equal(codes, output);
        Int8Upsample.Bilinear([.. Enumerable.Repeat((byte)200, codes.Length)], 1, new UpsampleDimension(5, 9), new UpsampleDimension(4, 11, AlignCorners: true), 40, 3, constant);
        Assert.All(constant, code => Assert.Equal(200, code));
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        UpsampleDimension two = new(1, 2);
        Assert.Contains("input has 3 elements; expected 2", Refusal(() => Int8Upsample.Nearest(new byte[3], 1, two, two, 2, new byte[8])));
        Assert.Contains("output has 9 elements; expected 8", Refusal(() => Int8Upsample.Nearest(new byte[2], 1, two, two, 2, new byte[9])));
        Assert.Contains("horizontal has the scale factor -1", Refusal(() => Int8Upsample.Nearest(new byte[2], 1, two, two with { ScaleFactor = -1 }, 2, new byte[8])));
        Assert.Contains("vertical has the sizes 1 and 0", Refusal(() => Int8Upsample.Nearest(new byte[2], 1, two with { Output = 0 }, two, 2, [])));
        Assert.Contains("zero point -1", Refusal(() => Int8Upsample.Bilinear(new byte[2], 1, two, two, 2, -1, new byte[8])));
    }

    private static string Refusal(Action action) => Assert.ThrowsAny<ArgumentException>(action).Message;

    private static void AssertEveryRow(Case c, byte[] expected, Action<Isa, Span<byte>> run)
    {
        byte[] canaries = [.. Enumerable.Repeat((byte)99, Canaries)], whole = [.. canaries, .. expected, .. canaries];
        foreach (Isa isa in Isa.Available)
        {
            byte[] found = [.. Enumerable.Repeat((byte)99, whole.Length)];
            run(isa, found.AsSpan(Canaries, expected.Length));
            int same = whole.AsSpan().CommonPrefixLength(found);
            Assert.True(same == whole.Length, same == whole.Length ? "" : $"{isa} {c}: code {same - Canaries} is {found[same]}, expected {whole[same]}");
        }
    }

    private delegate void Action<TIsa, TSpan>(TIsa isa, TSpan output) where TSpan : allows ref struct;

    private sealed record Case(UpsampleDimension Vertical, UpsampleDimension Horizontal, int Channels, int ZeroPoint, byte[] Codes)
    {
        public int OutputLength => Vertical.Output * Horizontal.Output * Channels;

        public static Case Of(int seed)
        {
            var random = new Random(seed);
            int[] counts = [1, 3, 7, 8, 16, 24, 32, 33, 63, 64, 65, 130];
            UpsampleDimension vertical = new(random.Next(1, 9), random.Next(1, 20), AlignCorners: seed % 2 == 0), horizontal = new(random.Next(1, 9), random.Next(1, 20), AlignCorners: seed % 2 == 0);
            int channels = counts[random.Next(counts.Length)];
            return new(vertical, horizontal, channels, random.Next(256), Generators.Activations(vertical.Input * horizontal.Input * channels, random.Next()));
        }

        public byte At(int y, int x, int channel) => Codes[(y * Horizontal.Input + x) * Channels + channel];

        public byte[] Expected(Func<int, int, int, byte> code) =>
            [.. Enumerable.Range(0, OutputLength).Select(o => code(o / Channels / Horizontal.Output, o / Channels % Horizontal.Output, o % Channels))];

        public double Interpolated(int y, int x, int channel)
        {
            (int top, double down) = Place(Vertical, y);
            (int left, double right) = Place(Horizontal, x);
            int bottom = Math.Min(top + 1, Vertical.Input - 1), next = Math.Min(left + 1, Horizontal.Input - 1);
            return (1 - down) * ((1 - right) * At(top, left, channel) + right * At(top, next, channel)) + down * ((1 - right) * At(bottom, left, channel) + right * At(bottom, next, channel));
        }

        private static (int First, double Weight) Place(UpsampleDimension dimension, int output)
        {
            double place = dimension.AlignCorners
                ? dimension.Output > 1 ? (double)(dimension.Input - 1) / (dimension.Output - 1) * output : 0
                : Math.Max(0, (output + 0.5) * dimension.Input / dimension.Output - 0.5);
            // Next to a whole number the float rule may take the other side, with a weight next to 0 or 1: the same value.
            int first = Math.Min((int)place, dimension.Input - 1);
            return (first, place - first);
        }
    }
}
