using System.Runtime.CompilerServices;
using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Elementwise;

/// <summary>The archive of Oracles/make_elementwise.py: libtorch's own int8 elementwise operators, on codes. An error inside an archive ends the process, so what is
/// passed follows the script's signatures.</summary>
internal sealed class ElementwiseOracle : IDisposable
{
    private readonly jit.ScriptModule _archive = jit.load(ArchivePath());

    public void Dispose() => _archive.Dispose();

    /// <summary>A quantized tensor of these codes.</summary>
    public Tensor Quantized(byte[] codes, QParams qparams, params long[] shape)
    {
        using var plain = tensor(codes);
        return (Tensor)_archive.invoke("make_q", shape.Length == 0 ? plain : plain.reshape(shape), (double)qparams.Scale, (long)qparams.ZeroPoint);
    }

    /// <summary>The codes that an operator of two tensors gives: add, add_relu, mul, mul_relu.</summary>
    public byte[] Pair(string name, byte[] a, QParams aParams, byte[] b, QParams bParams, QParams output)
    {
        using var scope = NewDisposeScope();
        return Codes((Tensor)_archive.invoke(name, Quantized(a, aParams), Quantized(b, bParams), (double)output.Scale, (long)output.ZeroPoint));
    }

    /// <summary>What an operator of two tensors gives, for tensors of any shape and order of memory.</summary>
    public Tensor Pair(string name, Tensor a, Tensor b, QParams output) => (Tensor)_archive.invoke(name, a, b, (double)output.Scale, (long)output.ZeroPoint);

    /// <summary>quantized::cat of two tensors along a dimension.</summary>
    public Tensor Cat(Tensor a, Tensor b, long dim, QParams output) => (Tensor)_archive.invoke("cat", a, b, dim, (double)output.Scale, (long)output.ZeroPoint);

    /// <summary>quantized::batch_norm2d or 3d, after its number of dimensions, or its ReLU form.</summary>
    public Tensor BatchNorm(Tensor x, Tensor weight, Tensor bias, Tensor mean, Tensor variance, double eps, QParams output, bool relu) =>
        (Tensor)_archive.invoke(
            $"batch_norm{x.dim() - 2}d{(relu ? "_relu" : "")}", x, weight, bias, mean, variance, eps, (double)output.Scale, (long)output.ZeroPoint);

    /// <summary>The codes in the order of the dimensions.</summary>
    public static byte[] Codes(Tensor quantized)
    {
        using var codes = quantized.int_repr();
        using var contiguous = codes.contiguous();
        return contiguous.Span<byte>().ToArray();
    }

    private static string ArchivePath([CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, "..", "Oracles", "elementwise.pt");

    public static Tensor ChannelsLast(Tensor x)
    {
        using var permuted = x.permute(0, 2, 3, 1);
        using var contiguous = permuted.contiguous();
        return contiguous.permute(0, 3, 1, 2);
    }
}

/// <summary>Random codes and qparams from a seed.</summary>
internal static class RandomCodes
{
    public static byte[] Codes(int length, int seed)
    {
        var random = new Random(seed);
        byte[] codes = new byte[length];
        random.NextBytes(codes);
        for (int i = 0; i < length; i++)
        {
            if (random.Next(4) == 0)
                codes[i] = (byte)(random.Next(2) * 255);
        }
        return codes;
    }

    public static QParams QParams(int seed)
    {
        var random = new Random(seed);
        return new((float)Math.Exp(random.NextDouble() * 8 - 7), random.Next(4) switch { 0 => 0, 1 => 255, _ => random.Next(256) });
    }
}
