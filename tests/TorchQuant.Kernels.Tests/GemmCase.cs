using System.Runtime.InteropServices;
using Xunit;

namespace TorchQuant.Kernels.Tests;

/// <summary>One multiplication and what it must give, for all three kinds of output.</summary>
internal sealed class GemmCase
{
    private const int Canaries = 64;

    private readonly PackedWeights _packed;
    private readonly float[] _bias;
    private readonly QParams _outParams;
    private readonly bool _relu;
    private readonly FusedActivation _activation;
    private readonly bool _accumulate;

    // Results between canaries; before a run, the canaries and what the results are added to.
    private readonly int[] _sums;
    private readonly float[] _floats;
    private readonly byte[] _bytes;
    private readonly ResidualCase _residual;
    private readonly byte[] _added;

    private GemmCase(int m, int n, int k, int seed, Scheme scheme, byte bits)
    {
        (M, A, AParams, Weights) = (m, Array.ConvertAll(Generators.Activations(m * k, seed), code => (byte)(code & bits)), Generators.QParams(seed), Generators.Weights(n, k, seed + 1, scheme));
        (_packed, _outParams) = (Weights.Pack(), Generators.QParams(seed + 3));
        _bias = seed % 3 == 0 ? [] : Generators.Floats(n, seed + 2);
        (_relu, _accumulate, _activation) = (seed % 2 == 0, seed % 5 < 2, (FusedActivation)((uint)seed / 3 % 4));

        long[,] sums = Reference.Sums(A, m, AParams.ZeroPoint, Weights);
        (_sums, _floats, _bytes) = (Canary(77), Canary(7.5f), Canary((byte)77));
        for (int i = 0; i < m * n; i++)
        {
            int column = i % n;
            long sum = sums[i / n, column];
            float? bias = _bias.Length == 0 ? null : _bias[column];
            _sums[Canaries + i] = (int)sum;
            _floats[Canaries + i] = Reference.ToFloat(sum, AParams, Weights.Scale(column), bias, _accumulate ? 7.5f : null, _relu);
            _bytes[Canaries + i] = (byte)Reference.ToByte(sum, AParams, Weights.Scale(column), Weights.Scales.Length == 1, bias, _outParams, _activation);
        }

        (_residual, _added) = (ResidualCase.Create(m * n, _outParams, seed + 4), Canary((byte)77));
        _residual.Added(_bytes.AsSpan(Canaries, m * n)).CopyTo(_added, Canaries);
    }

    public int M { get; }

    public byte[] A { get; }

    public QParams AParams { get; }

    public Weights Weights { get; }

    /// <summary>Numbers from a seed.</summary>
    /// <param name="m">Rows.</param>
    /// <param name="n">Outputs.</param>
    /// <param name="k">Depth.</param>
    /// <param name="seed">Of everything.</param>
    /// <param name="scheme">Of the weights.</param>
    /// <param name="bits">Those that activation codes may have.</param>
    public static GemmCase Create(int m, int n, int k, int seed, Scheme scheme, byte bits = byte.MaxValue) => new(m, n, k, seed, scheme, bits);

    /// <summary>Runs into the middle of buffers filled with canaries and compares all of them: the results, and that nothing else was written.</summary>
    public void AssertEqualsReference(Isa isa, int threads)
    {
        int length = M * Weights.N;
        int[] sums = Canary(77);
        Int8Gemm.MultiplyToInt32(isa, A, M, AParams.ZeroPoint, _packed, sums.AsSpan(Canaries, length), threads);
        AssertSame(_sums, sums, isa);
        float[] floats = Canary(7.5f);
        Int8Gemm.MultiplyToFloat(isa, A, M, AParams, _packed, _bias, floats.AsSpan(Canaries, length), _relu, _accumulate, threads);
        AssertSame(_floats, floats, isa);
        byte[] bytes = Canary((byte)77);
        Int8Gemm.MultiplyToByte(isa, A, M, AParams, _packed, _bias, _outParams, _activation, bytes.AsSpan(Canaries, length), threads);
        AssertSame(_bytes, bytes, isa);
        bytes = Canary((byte)77);
        Int8Gemm.MultiplyToByte(isa, A, M, AParams, _packed, _bias, _outParams, _activation, _residual.Residual, bytes.AsSpan(Canaries, length), threads);
        AssertSame(_added, bytes, isa);
    }

    private T[] Canary<T>(T value) => [.. Enumerable.Repeat(value, M * Weights.N + 2 * Canaries)];

    private void AssertSame<T>(T[] expected, T[] found, Isa isa) where T : struct
    {
        // Bytes, so that -0 is not 0.
        int same = MemoryMarshal.AsBytes(expected.AsSpan()).CommonPrefixLength(MemoryMarshal.AsBytes(found.AsSpan())) / Marshal.SizeOf<T>();
        Assert.True(same == expected.Length, same == expected.Length ? "" : $"{isa}, {typeof(T).Name} M={M} N={Weights.N} K={Weights.K}: element {same - Canaries} is {found[same]}, expected {expected[same]}");
    }
}
