using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

/// <summary>Oracles/static.pt: libtorch's own statically quantized operators. An error inside an archive ends the process, so what is passed follows the script's signatures.</summary>
internal static class StaticOracle
{
    /// <summary>
    /// Whether libtorch's kernels add u8 x s8 products in 32 bits: FBGEMM and oneDNN do with AVX512-VNNI. On other processors FBGEMM adds two products in 16 bits first, which saturates;
    /// with weights in -64..64 it cannot (2 * 255 * 64 = 32640), so that is what tests use there.
    /// </summary>
    public static bool IsExactForAllWeights { get; } = Avx512F.IsSupported && (X86Base.CpuId(7, 0).Ecx & (1 << 11)) != 0;

    public static jit.ScriptModule Load([CallerFilePath] string source = "") => jit.load(Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "Oracles", "static.pt"));

    /// <summary>The output codes of a layer.</summary>
    /// <param name="archive">What <see cref="Load"/> gave.</param>
    /// <param name="method">A method of make_static.py.</param>
    /// <param name="layer">The layer and its input.</param>
    /// <param name="more">What the method takes besides.</param>
    public static Tensor Run(this jit.ScriptModule archive, string method, LayerCase layer, params object[] more) => archive.invoke<Tensor>(
        method,
        [layer.Codes, Pair(layer.InputParams), layer.Weight, layer.Scales, layer.ZeroPoints.to(ScalarType.Int64), layer.Bias ?? empty(0), Pair(layer.OutputParams), .. more]);

    private static Tensor Pair(QParams qparams) => tensor([qparams.Scale, qparams.ZeroPoint], dtype: ScalarType.Float64);
}
