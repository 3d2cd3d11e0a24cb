using System.Runtime.InteropServices;
using TorchSharp;

namespace TorchQuant.Benchmarks.Peers.Torch;

/// <summary>torch.backends.quantized.engine, for which TorchSharp has no call: two functions that libtorch_cpu exports under their C++ names.</summary>
internal static unsafe class QuantizedEngine
{
    private static readonly (nint Context, nint Set) s_functions = Find();

    /// <summary>The engines of at::QEngine that compute on x86-64; none where the engine cannot be chosen: only Linux's libtorch_cpu.so exports the functions under these names.</summary>
    public static IReadOnlyList<(string Name, byte Number)> Usable { get; } = s_functions.Set == 0 ? [] : [("x86", 4), ("fbgemm", 1), ("onednn", 3)];

    public static void Set(byte engine) =>
        ((delegate* unmanaged<nint, byte, void>)s_functions.Set)(((delegate* unmanaged<nint>)s_functions.Context)(), engine);

    private static (nint Context, nint Set) Find()
    {
        if (!OperatingSystem.IsLinux())
            return default;
        torch.get_num_threads();
        nint library = NativeLibrary.Load("libtorch_cpu.so");
        return NativeLibrary.TryGetExport(library, "_ZN2at13globalContextEv", out nint context)
            && NativeLibrary.TryGetExport(library, "_ZN2at7Context10setQEngineEN3c107QEngineE", out nint set) ? (context, set) : default;
    }
}
