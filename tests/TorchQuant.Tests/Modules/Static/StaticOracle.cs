using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

/// <summary>Oracles/static.pt: libtorch's own statically quantized operators, computed by FBGEMM. An error inside an archive ends the process, so what is passed follows the script's signatures.</summary>
internal static unsafe class StaticOracle
{
    private const byte Fbgemm = 1;

    private static readonly Lazy<bool> s_engine = new(SetEngine);

    /// <summary>
    /// Whether FBGEMM adds u8 x s8 products in 32 bits, as it does with AVX512-VNNI. On other processors it adds two products in 16 bits first, which saturates;
    /// with weights in -64..64 it cannot (2 * 255 * 64 = 32640), so that is what tests use there.
    /// </summary>
    public static bool IsExactForAllWeights { get; } = Avx512F.IsSupported && (X86Base.CpuId(7, 0).Ecx & (1 << 11)) != 0;

    public static jit.ScriptModule Load([CallerFilePath] string source = "") =>
        s_engine.Value ? jit.load(Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "Oracles", "static.pt")) : throw new PlatformNotSupportedException("libtorch has no FBGEMM here.");

    /// <summary>The output codes of a layer.</summary>
    /// <param name="archive">What <see cref="Load"/> gave.</param>
    /// <param name="method">A method of make_static.py.</param>
    /// <param name="layer">The layer and its input.</param>
    /// <param name="more">What the method takes besides.</param>
    public static Tensor Run(this jit.ScriptModule archive, string method, LayerCase layer, params object[] more) => archive.invoke<Tensor>(
        method,
        [layer.Codes, Pair(layer.InputParams), layer.Weight, layer.Scales, layer.ZeroPoints.to(ScalarType.Int64), layer.Bias ?? empty(0), Pair(layer.OutputParams), .. more]);

    private static Tensor Pair(QParams qparams) => tensor([qparams.Scale, qparams.ZeroPoint], dtype: ScalarType.Float64);

    /// <summary>
    /// torch.backends.quantized.engine = "fbgemm", for which TorchSharp has no call. Without it libtorch on Linux gives symmetric weights of convolutions to oneDNN where there is VNNI,
    /// whose codes differ from FBGEMM's by one now and then. On Windows FBGEMM is all that it takes.
    /// </summary>
    private static bool SetEngine()
    {
        if (OperatingSystem.IsLinux())
        {
            var library = NativeLibrary.Load("libtorch_cpu.so");
            var globalContext = (delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "_ZN2at13globalContextEv");
            var setQEngine = (delegate* unmanaged<nint, byte, void>)NativeLibrary.GetExport(library, "_ZN2at7Context10setQEngineEN3c107QEngineE");
            setQEngine(globalContext(), Fbgemm);
        }
        return Avx2.IsSupported;
    }
}
