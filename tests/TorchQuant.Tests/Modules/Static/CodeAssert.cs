using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

/// <summary>Compares tensors of codes.</summary>
internal static class CodeAssert
{
    /// <summary>Both have the same shape and the same codes; the message counts the differences and shows the first.</summary>
    /// <param name="expected">Codes of uint8.</param>
    /// <param name="actual">Codes of uint8, or a quint8 tensor.</param>
    public static void Equal(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        using var scope = NewDisposeScope();
        var (wanted, found) = (Codes(expected), Codes(actual));
        if (wanted.AsSpan().SequenceEqual(found))
            return;
        var different = Enumerable.Range(0, wanted.Length).Where(i => wanted[i] != found[i]).ToArray();
        Assert.Fail($"{different.Length} of {wanted.Length} codes differ, by at most {different.Max(i => Math.Abs(wanted[i] - found[i]))}; the first is {different[0]}: {wanted[different[0]]} expected, {found[different[0]]} found.");
    }

    private static byte[] Codes(Tensor tensor) => (tensor.is_quantized() ? tensor.int_repr() : tensor).contiguous().data<byte>().ToArray();
}
