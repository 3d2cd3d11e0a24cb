using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests.Elementwise;

public class CodeTableTests
{
    private const int Canaries = 70;

    public static TheoryData<Isa> EveryIsa => [.. Isa.Available];

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Every_row_looks_up_every_code_at_every_length(Isa isa)
    {
        CodeTable table = Shuffled(seed: 1);
        // Up to three vectors, and around the length from which AVX2 shuffles.
        foreach (int length in Enumerable.Range(0, 200).Concat(Enumerable.Range(500, 100)).Append(70_001))
        {
            byte[] codes = Generators.Activations(length, seed: length);
            for (int i = 0; i < Math.Min(length, 256); i++)
                codes[i] = (byte)(length - i);
            byte[] found = [.. Enumerable.Repeat((byte)99, length + 2 * Canaries)];
            table.Apply(isa, codes, found.AsSpan(Canaries, length), threads: length > 1000 ? 4 : 1);
            byte[] canaries = [.. Enumerable.Repeat((byte)99, Canaries)], expected = Array.ConvertAll(codes, code => table.Codes[code]);
            Assert.Equal([.. canaries, .. expected, .. canaries], found);
        }
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Rows_go_to_their_places_and_nowhere_else(Isa isa)
    {
        CodeTable table = Shuffled(seed: 1);
        // Shorter than a vector, around one and several, those that are looked up without a buffer, and one row that is shared among threads.
        foreach (int length in new[] { 1, 3, 24, 63, 64, 65, 127, 128, 200, 2047, 2048, 2049, 20_001 })
        {
            foreach (int rows in new[] { 1, 2, 5, length > 100 ? 9 : 700 })
            {
                foreach (int gap in new[] { 0, 1, 100 })
                {
                    byte[] codes = Generators.Activations(rows * length, seed: length + rows), found = [.. Enumerable.Repeat((byte)99, rows * (length + gap) + 2 * Canaries)], expected = [.. found];
                    for (int row = 0; row < rows; row++)
                    {
                        for (int i = 0; i < length; i++)
                            expected[Canaries + row * (length + gap) + i] = table.Codes[codes[row * length + i]];
                    }

                    table.ApplyRows(isa, codes, length, found.AsSpan(Canaries, (rows - 1) * (length + gap) + length), length + gap, threads: 1 + rows % 2);
                    Assert.True(expected.AsSpan().SequenceEqual(found), $"{isa}, {rows} rows of {length}, {gap} apart");
                }
            }
        }
    }

    [Fact]
    public void Rows_that_do_not_fit_are_refused_by_name()
    {
        CodeTable table = Shuffled(seed: 1);
        Assert.Contains("codes has 5 elements; expected a multiple of 2", Refusal(() => table.ApplyRows(new byte[5], 2, new byte[9], 3)));
        Assert.Contains("output has 6 elements; expected at least 7 for 3 rows that are 3 apart", Refusal(() => table.ApplyRows(new byte[3], 1, new byte[6], 3)));
        Assert.Contains("stride is 1; expected at least 2", Refusal(() => table.ApplyRows(new byte[4], 2, new byte[9], 1)));

        static string Refusal(Action action) => Assert.ThrowsAny<ArgumentException>(action).Message;
    }

    [Property(EndSize = 1_000_000, MaxTest = 200)]
    public void Every_row_gives_the_same_bits(int seed)
    {
        CodeTable table = Shuffled(seed);
        byte[] codes = Generators.Activations(new Random(seed).Next(1500), seed), expected = Array.ConvertAll(codes, code => table.Codes[code]);
        foreach (Isa isa in Isa.Available)
        {
            byte[] inPlace = [.. codes];
            table.Apply(isa, inPlace, inPlace, threads: 1);
            Assert.Equal(expected, inPlace);
        }
    }

    [Property(EndSize = 1_000_000)]
    public void A_function_is_dequantize_then_the_function_then_quantize(int seed)
    {
        QParams input = Generators.QParams(seed), output = Generators.QParams(seed + 1);
        CodeTable table = CodeTable.FromFunction(MathF.Tanh, input, output);
        Assert.Equal((input, output), (table.Input, table.Output));
        for (int code = 0; code < 256; code++)
            Assert.Equal(Reference.Quantize(MathF.Tanh(Reference.Dequantize(code, input)), output, 0, 255), table.Codes[code]);
        Assert.Equal(table.Codes, CodeTable.FromReals(Array.ConvertAll(CodeTable.Arguments(input), MathF.Tanh), input, output).Codes);
    }

    [Property(EndSize = 1_000_000)]
    public void Requantizing_rounds_what_was_dequantized(int seed)
    {
        QParams input = Generators.QParams(seed), output = Generators.QParams(seed + 1);
        if (seed % 2 == 0)
            output = output with { Scale = 2 * input.Scale };
        CodeTable plain = CodeTable.Requantize(input, output), fused = CodeTable.RequantizeFused(input, output);
        for (int code = 0; code < 256; code++)
        {
            Assert.Equal(Reference.Quantize(Reference.Dequantize(code, input), output, 0, 255), plain.Codes[code]);
            float x = MathF.FusedMultiplyAdd(input.Scale, code, -(input.Scale * input.ZeroPoint));
            Assert.Equal(Reference.Quantize(x, output, 0, 255), fused.Codes[code]);
            Assert.InRange(fused.Codes[code] - plain.Codes[code], -1, 1);
        }
    }

    [Fact]
    public void Requantizing_to_the_same_qparams_changes_nothing()
    {
        QParams qparams = new(0.0173f, 77);
        Assert.Equal(Enumerable.Range(0, 256).Select(code => (byte)code), CodeTable.Requantize(qparams, qparams).Codes.ToArray());
    }

    [Fact]
    public void What_has_no_value_gives_the_zero_point_and_infinities_an_end()
    {
        float[] results = new float[256];
        (results[0], results[1], results[2]) = (float.NaN, float.PositiveInfinity, float.NegativeInfinity);
        Assert.Equal([9, 255, 0, 9], CodeTable.FromReals(results, new QParams(1, 0), new QParams(1, 9)).Codes[..4].ToArray());
    }

    [Fact]
    public void Looking_up_allocates_nothing()
    {
        CodeTable table = Shuffled(seed: 2);
        byte[] codes = new byte[5000];
        Assert.Equal(0, Allocations.Least(() => table.Apply(codes, codes)));
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        QParams good = new(1, 0);
        Assert.Contains("results has 255 elements; expected 256", Refusal(() => CodeTable.FromReals(new float[255], good, good)));
        Assert.Contains("input has the zero point 256", Refusal(() => CodeTable.FromReals(new float[256], new QParams(1, 256), good)));
        Assert.Contains("output has the scale -1", Refusal(() => CodeTable.FromFunction(x => x, good, new QParams(-1, 0))));
        Assert.Contains("input has the scale 0", Refusal(() => CodeTable.RequantizeFused(default, good)));
        CodeTable table = CodeTable.Requantize(good, good);
        Assert.Contains("output has 2 elements; expected 3", Refusal(() => table.Apply(new byte[3], new byte[2])));
        Assert.Contains("threads is 0", Refusal(() => table.Apply(new byte[3], new byte[3], threads: 0)));
    }

    private static string Refusal(Action action) => Assert.ThrowsAny<ArgumentException>(action).Message;

    /// <summary>A table whose slices have nothing in common: every code occurs once.</summary>
    private static CodeTable Shuffled(int seed)
    {
        float[] results = [.. Enumerable.Range(0, 256).Select(code => (float)code)];
        new Random(seed).Shuffle(results);
        return CodeTable.FromReals(results, new QParams(1, 0), new QParams(1, 0));
    }
}
