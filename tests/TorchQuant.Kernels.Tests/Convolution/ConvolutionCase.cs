using Xunit;

namespace TorchQuant.Kernels.Tests;

/// <summary>One convolution and what it must give.</summary>
internal sealed class ConvolutionCase
{
    private const int Canaries = 64;

    private readonly byte[] _expected;
    private readonly byte[]? _expectedSum;
    private readonly byte[] _output;
    private readonly Action<Isa, byte[], int> _run;
    private readonly Action<Isa, byte[], int>? _runSum;
    private readonly string _name;

    private ConvolutionCase(string name, byte[] expected, Action<Isa, byte[], int> run, byte[]? expectedSum = null, Action<Isa, byte[], int>? runSum = null)
    {
        _name = name;
        _expected = BetweenCanaries(expected);
        _expectedSum = expectedSum is null ? null : BetweenCanaries(expectedSum);
        _output = new byte[_expected.Length];
        (_run, _runSum) = (run, runSum);
    }

    public static ConvolutionCase Create(ConvolutionShape shape, int batch, int[] inputSize, int seed, Scheme scheme)
    {
        byte[] input = Generators.Activations(batch * ConvolutionReference.Product(inputSize) * shape.InChannels, seed);
        Weights w = Generators.Weights(shape.OutChannels, shape.InChannels / shape.Groups * shape.KernelSize, seed + 1, scheme);
        (QParams inputParams, QParams outputParams, float[] bias, FusedActivation activation) = Parameters(shape.OutChannels, seed);
        long[] sums = ConvolutionReference.Sums(input, batch, inputSize, inputParams.ZeroPoint, w, shape);
        PackedConvolution packed = PackedConvolution.Pack(w.Codes, shape, w.Scales, w.ZeroPoints);
        byte[] expected = ConvolutionReference.ToBytes(sums, shape.OutChannels, inputParams, w, bias, outputParams, activation);
        ResidualCase residual = ResidualCase.Create(expected.Length, outputParams, seed + 4);
        return new($"{shape}, {batch} x ({string.Join(", ", inputSize)}), {scheme}, {activation}", expected,
            (isa, output, threads) => Int8Convolution.Run(isa, input, batch, inputSize, inputParams, packed, bias, outputParams, activation, output.AsSpan(Canaries, output.Length - 2 * Canaries), threads),
            residual.Added(expected),
            (isa, output, threads) => Int8Convolution.Run(
                isa, input, batch, inputSize, inputParams, packed, bias, outputParams, activation, residual.Residual, output.AsSpan(Canaries, output.Length - 2 * Canaries), threads));
    }

    public static ConvolutionCase Create(ConvTransposeShape shape, int batch, int[] inputSize, int seed, Scheme scheme)
    {
        byte[] input = Generators.Activations(batch * ConvolutionReference.Product(inputSize) * shape.InChannels, seed);
        Weights w = TransposedWeights(shape, seed + 1, scheme);
        (QParams inputParams, QParams outputParams, float[] bias, FusedActivation activation) = Parameters(shape.OutChannels, seed);
        long[] sums = ConvolutionReference.TransposedSums(input, batch, inputSize, inputParams.ZeroPoint, w, shape);
        PackedConvTranspose packed = PackedConvTranspose.Pack(w.Codes, shape, w.Scales, w.ZeroPoints);
        return new($"{shape}, {batch} x ({string.Join(", ", inputSize)}), {scheme}, {activation}", ConvolutionReference.ToBytes(sums, shape.OutChannels, inputParams, w, bias, outputParams, activation),
            (isa, output, threads) => Int8ConvTranspose.Run(isa, input, batch, inputSize, inputParams, packed, bias, outputParams, activation, output.AsSpan(Canaries, output.Length - 2 * Canaries), threads));
    }

    /// <summary>Weights [in, out / groups, kernel...]: scales and zero points belong to the outputs, which are not the rows.</summary>
    public static Weights TransposedWeights(ConvTransposeShape shape, int seed, Scheme scheme)
    {
        Weights parameters = Generators.Weights(shape.OutChannels, 1, seed, scheme);
        return parameters with { Codes = Generators.Weights(shape.InChannels, shape.OutChannels / shape.Groups * shape.KernelSize, seed).Codes };
    }

    /// <summary>Runs into the middle of a buffer of canaries and compares all of it: the results, and that nothing else was written.</summary>
    public void AssertEveryKernelEqualsTheReference()
    {
        foreach (Isa isa in Isa.Available)
        {
            foreach (int threads in (int[])[1, 2])
                AssertEqualsReference(isa, threads);
        }
    }

    /// <summary>The results by themselves, and added to a residual.</summary>
    public void AssertEqualsReference(Isa isa, int threads)
    {
        AssertEqual(_expected, _run, isa, threads, "");
        if (_expectedSum is not null)
            AssertEqual(_expectedSum, _runSum!, isa, threads, ", with a residual");
    }

    private static byte[] BetweenCanaries(byte[] expected) => [.. Enumerable.Repeat((byte)77, Canaries), .. expected, .. Enumerable.Repeat((byte)77, Canaries)];

    private void AssertEqual(byte[] expected, Action<Isa, byte[], int> run, Isa isa, int threads, string what)
    {
        Array.Fill(_output, (byte)77);
        run(isa, _output, threads);
        int same = expected.AsSpan().CommonPrefixLength(_output);
        Assert.True(same == expected.Length, same == expected.Length ? "" : $"{isa}, {threads} threads, {_name}{what}: element {same - Canaries} is {_output[same]}, expected {expected[same]}");
    }

    /// <summary>A scale of the output that spreads most sums over the codes, so that not all of them are saturated.</summary>
    private static (QParams Input, QParams Output, float[] Bias, FusedActivation Activation) Parameters(int channels, int seed)
    {
        QParams output = Generators.QParams(seed + 3);
        return (Generators.QParams(seed), output with { Scale = output.Scale * 200 }, seed % 3 == 0 ? [] : Generators.Floats(channels, seed + 2), (FusedActivation)((uint)seed / 3 % 4));
    }
}
