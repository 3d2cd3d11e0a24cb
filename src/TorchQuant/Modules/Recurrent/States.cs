using static TorchSharp.torch;

namespace TorchQuant.Modules.Recurrent;

/// <summary>New float32 tensors on the CPU, whatever torch's default type and device are.</summary>
internal static class States
{
    /// <summary>A tensor to be written.</summary>
    public static Tensor Empty(params ReadOnlySpan<long> shape) => empty(shape, dtype: ScalarType.Float32, device: CPU);

    /// <summary>A tensor that begins as a module's initial state (zeros if null) and ends as its final one. Only the values are taken, not the history that
    /// autograd keeps.</summary>
    public static Tensor New(Tensor? initial, params ReadOnlySpan<long> shape)
    {
        if (initial is null)
            return zeros(shape, dtype: ScalarType.Float32, device: CPU);
        var state = Empty(shape);
        var source = initial.Contiguous(out var copy);
        source.Span<float>().CopyTo(state.Span<float>());
        copy?.Dispose();
        GC.KeepAlive(initial);
        return state;
    }
}
