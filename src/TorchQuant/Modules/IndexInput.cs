using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>Checks the indices that flow into an embedding.</summary>
internal static class IndexInput
{
    /// <summary>The indices as contiguous int64 on the CPU: a new tensor or an alias, which the caller disposes.</summary>
    /// <exception cref="ArgumentException">They are of another type than int64 or int32, or not on the CPU.</exception>
    public static Tensor Of(IQuantizedModule module, Tensor indices, string name)
    {
        if (indices.dtype is not (ScalarType.Int64 or ScalarType.Int32))
            throw new ArgumentException($"{Float32OnCpu.Name(module)} takes int64 or int32 indices, found {indices.dtype}.", name);
        if (indices.device_type != DeviceType.CPU)
            throw new ArgumentException($"{Float32OnCpu.Name(module)} computes on the CPU, and {name} is on {indices.device}: move it with .cpu().", name);
        using var wide = indices.to(ScalarType.Int64);
        return wide.contiguous();
    }
}
