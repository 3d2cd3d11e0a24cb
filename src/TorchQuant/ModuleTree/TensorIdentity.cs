using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>What makes two managed tensors the same native one: tied parameters may have several managed objects (<c>Embedding.weight</c> makes a new one at each call).</summary>
/// <param name="Address">Address of the first element; the handle for tensors that have no elements or no memory on the CPU.</param>
/// <param name="Layout">Type, shape and strides.</param>
internal readonly record struct TensorIdentity(IntPtr Address, string Layout)
{
    public static unsafe TensorIdentity Of(Tensor tensor)
    {
        if (tensor.numel() == 0 || tensor.device_type != DeviceType.CPU || tensor.is_sparse) return new TensorIdentity(tensor.Handle, "");
        using var grad = no_grad();
        using var plain = tensor.detach().DetachFromDisposeScope();
        using var first = plain.as_strided([1], [1], plain.storage_offset()).DetachFromDisposeScope();
        fixed (byte* address = &MemoryMarshal.GetReference(first.bytes))
            return new TensorIdentity((IntPtr)address, $"{tensor.dtype} {string.Join(',', tensor.shape)} {string.Join(',', tensor.stride())}");
    }
}
