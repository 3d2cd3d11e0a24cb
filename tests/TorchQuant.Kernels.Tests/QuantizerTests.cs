using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public unsafe class QuantizerTests
{
    private const int Canaries = 40;

    public static TheoryData<Isa> EveryIsa => [.. Isa.Available];

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Quantizing_equals_the_reference_at_every_length(Isa isa)
    {
        for (int length = 0; length <= 3 * 64 + 1; length++)
        {
            float[] x = Generators.Numbers(length, seed: length);
            foreach ((QParams qparams, int low, int high) in new[] { (new QParams(1, 3), 0, 255), (new QParams(0.37f, 200), 0, 127), (new QParams(2.5f, 9), 0, 15), (Generators.QParams(length), 0, 255) })
            {
                byte[] codes = new byte[length + 2 * Canaries];
                Array.Fill(codes, (byte)99);
                fixed (float* source = x)
                fixed (byte* target = codes)
                    isa.Quantize(source, target + Canaries, length, qparams, low, high);
                byte[] expected = [.. Enumerable.Repeat((byte)99, Canaries), .. x.Select(v => (byte)Reference.Quantize(v, qparams, low, high)), .. Enumerable.Repeat((byte)99, Canaries)];
                Assert.Equal(expected, codes);
            }
        }
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Quantizing_to_signed_codes_equals_the_reference(Isa isa)
    {
        float[] x = Generators.Numbers(200, seed: 1);
        foreach (QParams qparams in new[] { new QParams(1, -5), new QParams(0.3f, 127), new QParams(0.7f, -128) })
        {
            sbyte[] codes = new sbyte[x.Length];
            fixed (float* source = x)
            fixed (sbyte* target = codes)
                isa.Quantize(source, (byte*)target, x.Length, qparams, -127, 127);
            Assert.Equal(x.Select(v => (sbyte)Reference.Quantize(v, qparams, -127, 127)), codes);
        }
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Dequantizing_equals_the_reference_for_every_code_at_every_length(Isa isa)
    {
        byte[] codes = [.. Enumerable.Range(0, 256).Select(code => (byte)code)];
        foreach (int length in Enumerable.Range(0, 40).Append(256))
        {
            float[] x = new float[length], signed = new float[length];
            fixed (byte* source = codes)
            fixed (float* target = x, signedTarget = signed)
            {
                isa.Dequantize(source + 256 - length, signed: false, target, length, new QParams(0.37f, 77));
                isa.Dequantize(source + 256 - length, signed: true, signedTarget, length, new QParams(0.37f, -77));
            }

            Assert.Equal(codes.TakeLast(length).Select(code => Reference.Dequantize(code, new QParams(0.37f, 77))), x);
            Assert.Equal(codes.TakeLast(length).Select(code => Reference.Dequantize((sbyte)code, new QParams(0.37f, -77))), signed);
        }
    }

    [Fact]
    public void Threads_share_what_is_large()
    {
        const int channels = 37, inner = 5_003;
        float[] x = Generators.Numbers(channels * inner, seed: 3), one = new float[x.Length], two = new float[x.Length];
        byte[] single = new byte[x.Length], shared = new byte[x.Length];
        sbyte[] signedSingle = new sbyte[x.Length], signedShared = new sbyte[x.Length];
        QParams qparams = new(1.3f, 77);
        Quantizer.Quantize(x, single, qparams, 3, 250);
        Quantizer.Quantize(x, shared, qparams, 3, 250, threads: 4);
        Assert.Equal(single, shared);
        Assert.Equal(x.Select(v => (byte)Reference.Quantize(v, qparams, 3, 250)), shared);
        Quantizer.Dequantize(single, one, qparams);
        Quantizer.Dequantize(single, two, qparams, threads: 4);
        Assert.Equal(one, two);
        float[] scales = [.. Enumerable.Range(1, channels).Select(c => 0.1f * c)];
        int[] zeroPoints = [.. Enumerable.Range(0, channels)];
        Quantizer.QuantizePerChannel(x, signedSingle, scales, zeroPoints);
        Quantizer.QuantizePerChannel(x, signedShared, scales, zeroPoints, threads: 3);
        Assert.Equal(signedSingle, signedShared);
        Quantizer.DequantizePerChannel(signedSingle, one, scales, zeroPoints);
        Quantizer.DequantizePerChannel(signedSingle, two, scales, zeroPoints, threads: 3);
        Assert.Equal(one, two);
    }

    [Property(EndSize = 1_000_000, MaxTest = 50)]
    public void Quantizing_dynamically_equals_the_reference(int seed)
    {
        float[] x = Generators.Numbers(new Random(seed).Next(300), seed);
        QParams qparams = Generators.QParams(seed);
        foreach (Isa isa in Isa.Available)
        {
            byte[] codes = new byte[x.Length];
            fixed (float* source = x)
            fixed (byte* target = codes)
                isa.QuantizeDynamic(source, target, x.Length, qparams);
            for (int i = 0; i < x.Length; i++)
            {
                float scaled = MathF.FusedMultiplyAdd(x[i], 1f / qparams.Scale, qparams.ZeroPoint);
                Assert.Equal(float.IsNaN(scaled) ? 0 : (byte)Math.Clamp(Math.Round((double)scaled, MidpointRounding.ToEven), 0, 255), codes[i]);
            }
        }
    }

    [Fact]
    public void The_reciprocal_is_multiplied_and_not_divided_by()
    {
        // PyTorch's golden value: the product is 127.5, the quotient 127.49999.
        byte[] code = new byte[1];
        Quantizer.Quantize([0.273939937f], code, new QParams(0.00214854861f, 0));
        Assert.Equal(128, code[0]);
    }

    [Fact]
    public void Not_a_number_gives_the_zero_point_and_infinities_saturate()
    {
        byte[] codes = new byte[3];
        Quantizer.Quantize([float.NaN, float.PositiveInfinity, float.NegativeInfinity], codes, new QParams(1, 7), quantMin: 1, quantMax: 200);
        Assert.Equal([7, 200, 1], codes);
        sbyte[] signed = new sbyte[3];
        Quantizer.Quantize([float.NaN, float.PositiveInfinity, float.NegativeInfinity], signed, new QParams(1, -7));
        Assert.Equal([-7, 127, -128], signed);
    }

    [Property(EndSize = 1_000_000)]
    public void Zero_maps_to_the_zero_point_and_back_to_zero(int seed)
    {
        QParams qparams = Generators.QParams(seed);
        byte[] code = new byte[1];
        float[] back = new float[1];
        Quantizer.Quantize([0f], code, qparams);
        Quantizer.Dequantize(code, back, qparams);
        Assert.Equal((qparams.ZeroPoint, 0f), (code[0], back[0]));
    }

    [Property(EndSize = 1_000_000)]
    public void Dequantized_is_within_half_a_scale_inside_the_range(int seed)
    {
        float[] x = Generators.Floats(100, seed);
        QParams qparams = QParamsChooser.ForDynamic(-10, 10);
        byte[] codes = new byte[100];
        float[] back = new float[100];
        Quantizer.Quantize(x, codes, qparams);
        Quantizer.Dequantize(codes, back, qparams);
        for (int i = 0; i < 100; i++)
            Assert.InRange(back[i], x[i] - qparams.Scale * 0.50001f, x[i] + qparams.Scale * 0.50001f);
    }

    [Property(EndSize = 1_000_000)]
    public void Per_channel_is_per_tensor_channel_by_channel(int seed)
    {
        float[] x = Generators.Floats(3 * 21, seed);
        float[] scales = [0.1f, 0.02f, 3];
        int[] zeroPoints = [0, 255, 100], signedZeroPoints = [-128, 127, 3];
        byte[] codes = new byte[63];
        sbyte[] signed = new sbyte[63];
        float[] back = new float[63], signedBack = new float[63];
        Quantizer.QuantizePerChannel(x, codes, scales, zeroPoints);
        Quantizer.QuantizePerChannel(x, signed, scales, signedZeroPoints, -127, 127);
        Quantizer.DequantizePerChannel(codes, back, scales, zeroPoints);
        Quantizer.DequantizePerChannel(signed, signedBack, scales, signedZeroPoints);
        for (int i = 0; i < 63; i++)
        {
            QParams unsignedParams = new(scales[i / 21], zeroPoints[i / 21]), signedParams = new(scales[i / 21], signedZeroPoints[i / 21]);
            Assert.Equal(Reference.Quantize(x[i], unsignedParams, 0, 255), codes[i]);
            Assert.Equal(Reference.Quantize(x[i], signedParams, -127, 127), signed[i]);
            Assert.Equal(Reference.Dequantize(codes[i], unsignedParams), back[i]);
            Assert.Equal(Reference.Dequantize(signed[i], signedParams), signedBack[i]);
        }
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_refused()
    {
        Assert.Contains("codes has 2 elements; expected 3", Failure(() => Quantizer.Quantize(new float[3], new byte[2], new QParams(1, 0))));
        Assert.Contains("x has 2 elements; expected 3", Failure(() => Quantizer.Dequantize(new byte[3], new float[2], new QParams(1, 0))));
        Assert.Contains("scale -1", Failure(() => Quantizer.Quantize(new float[1], new byte[1], new QParams(-1, 0))));
        Assert.Contains("scale 1E-45", Failure(() => Quantizer.Quantize(new float[1], new byte[1], new QParams(float.Epsilon, 0))));
        Assert.Contains("zero point 128; expected -128 to 127", Failure(() => Quantizer.Quantize(new float[1], new sbyte[1], new QParams(1, 128))));
        Assert.Contains("quantMin to quantMax is 0 to 256", Failure(() => Quantizer.Quantize(new float[1], new byte[1], new QParams(1, 0), 0, 256)));
        Assert.Contains("zeroPoints has 1 elements; expected 2", Failure(() => Quantizer.QuantizePerChannel(new float[2], new byte[2], [1, 1], [0])));
        Assert.Contains("multiple of the 2 channels", Failure(() => Quantizer.QuantizePerChannel(new float[3], new byte[3], [1, 1], [0, 0])));
        Assert.Contains("multiple of the 0 channels", Failure(() => Quantizer.DequantizePerChannel(new sbyte[3], new float[3], [], [])));
    }

    private static string Failure(Action call) => Assert.ThrowsAny<ArgumentException>(call).Message;
}
