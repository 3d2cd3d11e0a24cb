using Xunit;

namespace TorchQuant.Kernels.Tests;

/// <summary>One multiplication and what it must give, for all three kinds of output.</summary>
internal sealed record GemmCase(byte[] A, int M, QParams AParams, Weights Weights, float[] Bias, QParams OutParams, bool Relu, bool Accumulate)
{
    private const int Canaries = 64;

    private readonly long[,] _sums = Reference.Sums(A, M, AParams.ZeroPoint, Weights);
    private readonly PackedWeights _packed = Weights.Pack();

    public static GemmCase Create(int m, int n, int k, int seed, Scheme scheme) => new(
        Generators.Activations(m * k, seed), m, Generators.QParams(seed), Generators.Weights(n, k, seed + 1, scheme),
        seed % 3 == 0 ? [] : Generators.Floats(n, seed + 2), Generators.QParams(seed + 3), seed % 2 == 0, seed % 5 < 2);

    public void AssertEqualsReference(Isa isa, int threads)
    {
        AssertOutput(77, (isaOutput) => Int8Gemm.MultiplyToInt32(isa, A, M, AParams.ZeroPoint, _packed, isaOutput.AsSpan(Canaries, M * Weights.N), threads),
            (m, n, _) => (int)_sums[m, n], isa);
        AssertOutput(7.5f, (isaOutput) => Int8Gemm.MultiplyToFloat(isa, A, M, AParams, _packed, Bias, isaOutput.AsSpan(Canaries, M * Weights.N), Relu, Accumulate, threads),
            (m, n, before) => Reference.ToFloat(_sums[m, n], AParams, Weights.Scale(n), BiasOf(n), Accumulate ? before : null, Relu), isa);
        AssertOutput((byte)77, (isaOutput) => Int8Gemm.MultiplyToByte(isa, A, M, AParams, _packed, Bias, OutParams, Relu, isaOutput.AsSpan(Canaries, M * Weights.N), threads),
            (m, n, _) => (byte)Reference.ToByte(_sums[m, n], AParams, Weights.Scale(n), Weights.Scales.Length == 1, BiasOf(n), OutParams, Relu), isa);
    }

    private float? BiasOf(int n) => Bias.Length == 0 ? null : Bias[n];

    /// <summary>Runs into the middle of a buffer filled with a canary and compares all of it: the result, and that nothing else was written.</summary>
    private void AssertOutput<T>(T canary, Action<T[]> run, Func<int, int, T, T> expected, Isa isa) where T : struct
    {
        T[] output = new T[M * Weights.N + 2 * Canaries];
        Array.Fill(output, canary);
        run(output);
        for (int i = 0; i < output.Length; i++)
        {
            int at = i - Canaries;
            T wanted = at < 0 || at >= M * Weights.N ? canary : expected(at / Weights.N, at % Weights.N, canary);
            Assert.True(wanted.Equals(output[i]), $"{isa}, {typeof(T).Name} M={M} N={Weights.N} K={Weights.K}: element {at} is {output[i]}, expected {wanted}");
        }
    }
}
