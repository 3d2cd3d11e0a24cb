using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace TorchQuant.Kernels;

/// <summary>
/// One row of the table of instruction sets: a micro-kernel and a vector width. Rows differ in speed only, never in a bit of the result.
/// The environment variable TORCHQUANT_ISA forces a row by its name.
/// </summary>
public abstract unsafe class Isa
{
    /// <summary>The environment variable that forces a row.</summary>
    public const string EnvironmentVariable = "TORCHQUANT_ISA";

    /// <summary>Best first: adding a kernel is one file and one row.</summary>
    private static readonly (string Name, bool IsSupported, Func<string, Isa> Create)[] s_table =
    [
        ("avx512-vnni", Avx512VnniMicroKernel.IsSupported, name => new Isa<Avx512VnniMicroKernel, Lanes512, Vector512<float>, Vector512<int>>(name)),
        ("avx-vnni", AvxVnni.IsSupported, name => Vector512.IsHardwareAccelerated
            ? new Isa<AvxVnniMicroKernel, Lanes512, Vector512<float>, Vector512<int>>(name)
            : new Isa<AvxVnniMicroKernel, Lanes256, Vector256<float>, Vector256<int>>(name)),
        ("avx512bw", Avx512BW.IsSupported, name => new Isa<Avx512BWMicroKernel, Lanes512, Vector512<float>, Vector512<int>>(name)),
        ("avx2", Avx2.IsSupported, name => new Isa<Avx2MicroKernel, Lanes256, Vector256<float>, Vector256<int>>(name)),
        ("dotprod", Dp.IsSupported, name => new Isa<DotProdMicroKernel, Lanes128, Vector128<float>, Vector128<int>>(name)),
        ("neon", AdvSimd.Arm64.IsSupported, name => new Isa<NeonMicroKernel, Lanes128, Vector128<float>, Vector128<int>>(name)),
        ("scalar", true, name => new Isa<ScalarMicroKernel, ScalarLanes, float, int>(name)),
    ];

    private static readonly Lazy<Isa> s_current = new(() => Select(Environment.GetEnvironmentVariable(EnvironmentVariable)));

    private protected Isa(string name) => Name = name;

    /// <summary>The row in use: the best that this machine supports, or the one that TORCHQUANT_ISA names.</summary>
    /// <exception cref="PlatformNotSupportedException">TORCHQUANT_ISA names a row that does not exist or that this machine does not support.</exception>
    public static Isa Current => s_current.Value;

    /// <summary>The rows that this machine supports, best first.</summary>
    public static IReadOnlyList<Isa> Available { get; } = [.. s_table.Where(row => row.IsSupported).Select(row => row.Create(row.Name))];

    /// <summary>The name in the table, for example avx-vnni.</summary>
    public string Name { get; }

    internal static Isa Select(string? forced)
    {
        if (string.IsNullOrEmpty(forced))
            return Available[0];
        return Available.FirstOrDefault(row => row.Name == forced) ?? throw new PlatformNotSupportedException(
            $"{EnvironmentVariable} is '{forced}', which {(s_table.Any(row => row.Name == forced) ? "this machine does not support" : "is not known")}; "
            + $"expected one of {string.Join(", ", Available.Select(row => row.Name))} (known: {string.Join(", ", s_table.Select(row => row.Name))}). Unset it to use the best.");
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    internal abstract void Multiply(GemmJob* job, int threads);

    internal abstract void MultiplyGates(GateJob* job, int threads);

    internal abstract void QuantizeLstmRows(LstmRows* job, int threads);

    internal abstract void StepLstmRows(LstmRows* job, int threads);

    internal abstract void Convolve(ConvolutionJob* job, int threads);

    internal abstract void ConvolveDepthwise(ConvolutionJob* job, int threads);

    internal abstract void Quantize(float* x, byte* codes, nint count, QParams qparams, int low, int high);

    internal abstract void QuantizeDynamic(float* x, byte* codes, nint count, QParams qparams);

    internal abstract void Dequantize(byte* codes, bool signed, float* x, nint count, QParams qparams);

    internal abstract (float Min, float Max) MinMax(float* x, nint count);

    /// <summary>The sum of a row of activations as the kernel sees them, so each less its offset.</summary>
    internal abstract int RowSum(byte* codes, nint count);

    /// <summary>Runs elementwise work of any kind at the vector width of the row.</summary>
    internal abstract void Run<TWork>(in TWork work) where TWork : struct, ILaneWork;
}
