using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using TorchQuant.Kernels;
using TorchQuant.Kernels.Generated;

namespace TorchQuant.Benchmarks.Limits;

/// <summary>The machine's peak of int8 operations, two for each multiply-add: the best instruction it has, on registers alone.</summary>
internal static unsafe class PeakOperations
{
    /// <summary>Independent sums in the loops of intrinsics: enough to hide the latency of what adds to them.</summary>
    private const int VnniSums = 12, Sums = 6;

    private static readonly (string Instruction, double MultiplyAddsPerTurn, Action<nint> Run) s_loop = Choose();

    /// <summary>About how often the loop turns in a second: for the length of the pieces.</summary>
    private static readonly Lazy<double> s_turnsPerSecond = new(static () =>
    {
        nint turns = 1000;
        double seconds;
        while ((seconds = ThreadTeam.Time(1, _ => s_loop.Run(turns))) < 1e-3)
            turns *= 2;
        return turns / seconds;
    });

    /// <summary>What was measured.</summary>
    public static string Instruction => s_loop.Instruction;

    /// <summary>Operations a second on all threads together: the best of some pieces, since others only slow it.</summary>
    public static double PerSecond(int threads, double seconds, int pieces)
    {
        var turns = (nint)Math.Max(1, seconds * s_turnsPerSecond.Value);
        double best = double.PositiveInfinity;
        for (int piece = 0; piece < pieces; piece++)
            best = Math.Min(best, ThreadTeam.Time(threads, _ => s_loop.Run(turns)));
        return 2 * s_loop.MultiplyAddsPerTurn * turns * threads / best;
    }

    /// <summary>What the row in use is built on: a forced row is measured against its own limit.</summary>
    private static (string Instruction, double MultiplyAddsPerTurn, Action<nint> Run) Choose()
    {
        string row = Isa.Current.Name;
        if (row == "avx512-vnni")
        {
            byte* code = ExecutableMemory.TryPlace(PeakLoop.Code(OperatingSystem.IsWindows()));
            if (code != null)
                return ("vpdpbusd, 512 bits", PeakLoop.MultiplyAddsPerTurn, turns => ((delegate* unmanaged<nint, void>)code)(turns));
        }

        if (row == "avx-vnni")
            return ("vpdpbusd, 256 bits", (double)Vector256<byte>.Count * VnniSums, VnniLoop);
        if (row == "avx512bw")
            return ("vpmaddwd, 512 bits", (double)Vector512<short>.Count * Sums, WideMultiplyAddLoop);
        return Avx2.IsSupported
            ? ("vpmaddwd, 256 bits", (double)Vector256<short>.Count * Sums, MultiplyAddLoop)
            : throw new PlatformNotSupportedException("The peak is measured on x86-64 with AVX2 at least; this machine has no such instructions.");
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void VnniLoop(nint turns)
    {
        Vector256<byte> left = Vector256.Create((byte)1);
        Vector256<sbyte> right = Vector256.Create((sbyte)1);
        Vector256<int> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default, i = default, j = default, k = default, l = default;
        for (nint turn = 0; turn < turns; turn++)
        {
            a = AvxVnni.MultiplyWideningAndAdd(a, left, right);
            b = AvxVnni.MultiplyWideningAndAdd(b, left, right);
            c = AvxVnni.MultiplyWideningAndAdd(c, left, right);
            d = AvxVnni.MultiplyWideningAndAdd(d, left, right);
            e = AvxVnni.MultiplyWideningAndAdd(e, left, right);
            f = AvxVnni.MultiplyWideningAndAdd(f, left, right);
            g = AvxVnni.MultiplyWideningAndAdd(g, left, right);
            h = AvxVnni.MultiplyWideningAndAdd(h, left, right);
            i = AvxVnni.MultiplyWideningAndAdd(i, left, right);
            j = AvxVnni.MultiplyWideningAndAdd(j, left, right);
            k = AvxVnni.MultiplyWideningAndAdd(k, left, right);
            l = AvxVnni.MultiplyWideningAndAdd(l, left, right);
        }

        Keep(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyAddLoop(nint turns)
    {
        // The left side differs from turn to turn and the right side from sum to sum, so that every product has to be computed.
        Vector256<short> left = default, one = Vector256.Create((short)1);
        Vector256<short> ra = Vector256.Create((short)1), rb = Vector256.Create((short)2), rc = Vector256.Create((short)3), rd = Vector256.Create((short)4), re = Vector256.Create((short)5), rf = Vector256.Create((short)6);
        Vector256<int> a = default, b = default, c = default, d = default, e = default, f = default;
        for (nint turn = 0; turn < turns; turn++)
        {
            a += Avx2.MultiplyAddAdjacent(left, ra);
            b += Avx2.MultiplyAddAdjacent(left, rb);
            c += Avx2.MultiplyAddAdjacent(left, rc);
            d += Avx2.MultiplyAddAdjacent(left, rd);
            e += Avx2.MultiplyAddAdjacent(left, re);
            f += Avx2.MultiplyAddAdjacent(left, rf);
            left += one;
        }

        Keep(a + b + c + d + e + f);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WideMultiplyAddLoop(nint turns)
    {
        // The left side differs from turn to turn and the right side from sum to sum, so that every product has to be computed.
        Vector512<short> left = default, one = Vector512.Create((short)1);
        Vector512<short> ra = Vector512.Create((short)1), rb = Vector512.Create((short)2), rc = Vector512.Create((short)3), rd = Vector512.Create((short)4), re = Vector512.Create((short)5), rf = Vector512.Create((short)6);
        Vector512<int> a = default, b = default, c = default, d = default, e = default, f = default;
        for (nint turn = 0; turn < turns; turn++)
        {
            a += Avx512BW.MultiplyAddAdjacent(left, ra);
            b += Avx512BW.MultiplyAddAdjacent(left, rb);
            c += Avx512BW.MultiplyAddAdjacent(left, rc);
            d += Avx512BW.MultiplyAddAdjacent(left, rd);
            e += Avx512BW.MultiplyAddAdjacent(left, re);
            f += Avx512BW.MultiplyAddAdjacent(left, rf);
            left += one;
        }

        Vector512<int> sums = a + b + c + d + e + f;
        Keep(sums.GetLower() + sums.GetUpper());
    }

    private static void Keep(Vector256<int> sums) => Volatile.Write(ref s_kept, Vector256.Sum(sums));

    private static int s_kept;
}
