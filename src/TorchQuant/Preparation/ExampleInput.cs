using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The values of a model's input, kept in managed memory: no tensor has to be disposed with it.</summary>
internal sealed class ExampleInput
{
    private readonly Value?[] _values;

    private ExampleInput(Value?[] values) => _values = values;

    /// <summary>Keeps a copy of the inputs, of which some may be null.</summary>
    /// <returns>Null where one cannot be kept: quantized, sparse, or beyond 2 GB.</returns>
    public static ExampleInput? Of(IReadOnlyList<Tensor?> inputs)
    {
        if (inputs.Any(t => t is not null && (t.is_sparse || t.is_quantized() || t.numel() * t.element_size() > int.MaxValue)))
            return null;
        using var noGrad = no_grad();
        return new ExampleInput([.. inputs.Select(Keep)]);
    }

    /// <summary>New tensors with the values, on the CPU.</summary>
    public Tensor?[] Tensors() => [.. _values.Select(Restore)];

    private static Value? Keep(Tensor? input)
    {
        if (input is null)
            return null;
        using var onCpu = input.cpu();
        using var contiguous = onCpu.contiguous();
        return new Value(input.dtype, input.shape, contiguous.bytes.ToArray());
    }

    private static Tensor? Restore(Value? value)
    {
        if (value is null)
            return null;
        var tensor = empty(value.Shape, dtype: value.DType, device: CPU);
        value.Bytes.CopyTo(tensor.bytes);
        return tensor;
    }

    private sealed record Value(ScalarType DType, long[] Shape, byte[] Bytes);
}
