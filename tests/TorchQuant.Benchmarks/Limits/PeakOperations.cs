using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using TorchQuant.Kernels;
using TorchQuant.Kernels.Generated;

namespace TorchQuant.Benchmarks.Limits;

/// <summary>The machine's peak of int8 operations, two for each multiply-add: the best instruction it has, on registers alone.</summary>
internal static unsafe class PeakOperations
{
    private static readonly (string Instruction, double MultiplyAddsPerTurn, Action<nint> Run) s_loop = Choose();

    /// <summary>What was measured.</summary>
    public static string Instruction => s_loop.Instruction;

    /// <summary>Operations a second on all threads together: the best of some rounds, since others only slow it.</summary>
    public static double PerSecond(int threads, double seconds, int rounds)
    {
        nint turns = 1000;
        while (ThreadTeam.Time(1, _ => s_loop.Run(turns)) < seconds)
            turns *= 2;
        double best = double.PositiveInfinity;
        for (int round = 0; round < rounds; round++)
            best = Math.Min(best, ThreadTeam.Time(threads, _ => s_loop.Run(turns)));
        return 2 * s_loop.MultiplyAddsPerTurn * turns * threads / best;
    }

    private static (string Instruction, double MultiplyAddsPerTurn, Action<nint> Run) Choose()
    {
        if (Isa.Available.Any(isa => isa.Name == "avx512-vnni"))
        {
            byte* code = ExecutableMemory.TryPlace(PeakLoop.Code(OperatingSystem.IsWindows()));
            if (code != null)
                return ("vpdpbusd, 512 bits", PeakLoop.MultiplyAddsPerTurn, turns => ((delegate* unmanaged<nint, void>)code)(turns));
        }

        if (AvxVnni.IsSupported)
            return ("vpdpbusd, 256 bits", 32.0 * 8, VnniLoop);
        return Avx2.IsSupported
            ? ("vpmaddwd, 256 bits", 16.0 * 8, MultiplyAddLoop)
            : throw new PlatformNotSupportedException("The peak is measured on x86-64 with AVX2 at least; this machine has no such instructions.");
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void VnniLoop(nint turns)
    {
        Vector256<byte> left = Vector256.Create((byte)1);
        Vector256<sbyte> right = Vector256.Create((sbyte)1);
        Vector256<int> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
        for (nint i = 0; i < turns; i++)
        {
            a = AvxVnni.MultiplyWideningAndAdd(a, left, right);
            b = AvxVnni.MultiplyWideningAndAdd(b, left, right);
            c = AvxVnni.MultiplyWideningAndAdd(c, left, right);
            d = AvxVnni.MultiplyWideningAndAdd(d, left, right);
            e = AvxVnni.MultiplyWideningAndAdd(e, left, right);
            f = AvxVnni.MultiplyWideningAndAdd(f, left, right);
            g = AvxVnni.MultiplyWideningAndAdd(g, left, right);
            h = AvxVnni.MultiplyWideningAndAdd(h, left, right);
        }

        Keep(a + b + c + d + e + f + g + h);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyAddLoop(nint turns)
    {
        Vector256<short> left = Vector256.Create((short)1), right = Vector256.Create((short)1);
        Vector256<int> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
        for (nint i = 0; i < turns; i++)
        {
            a += Avx2.MultiplyAddAdjacent(left ^ a.AsInt16(), right);
            b += Avx2.MultiplyAddAdjacent(left ^ b.AsInt16(), right);
            c += Avx2.MultiplyAddAdjacent(left ^ c.AsInt16(), right);
            d += Avx2.MultiplyAddAdjacent(left ^ d.AsInt16(), right);
            e += Avx2.MultiplyAddAdjacent(left ^ e.AsInt16(), right);
            f += Avx2.MultiplyAddAdjacent(left ^ f.AsInt16(), right);
            g += Avx2.MultiplyAddAdjacent(left ^ g.AsInt16(), right);
            h += Avx2.MultiplyAddAdjacent(left ^ h.AsInt16(), right);
        }

        Keep(a + b + c + d + e + f + g + h);
    }

    private static void Keep(Vector256<int> sums) => Volatile.Write(ref s_kept, Vector256.Sum(sums));

    private static int s_kept;
}
