using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace TorchQuant.Benchmarks.Limits;

/// <summary>How fast memory is read, for data that fits one cache or another: each thread reads its part again and again.</summary>
internal static unsafe class ReadBandwidth
{
    private const int Alignment = 64, VectorsAtOnce = 8;

    private static readonly long[] s_sizes = [32 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 256 << 20];

    /// <summary>Bytes a second on all threads together for several sizes of the whole data: the best of some rounds.</summary>
    public static IReadOnlyList<(double Bytes, double PerSecond)> PerSecond(int threads, double seconds, int rounds)
    {
        var result = new List<(double Bytes, double PerSecond)>();
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)s_sizes[^1], Alignment);
        NativeMemory.Fill(memory, (nuint)s_sizes[^1], 1);
        foreach (long size in s_sizes)
        {
            nint part = (nint)(size / threads);
            int turns = (int)Math.Max(1, seconds * 50e9 * threads / size);
            double best = double.PositiveInfinity;
            for (int round = 0; round < rounds; round++)
                best = Math.Min(best, ThreadTeam.Time(threads, me => Read(memory + me * part, part, turns)));
            result.Add((size, (double)part * threads * turns / best));
        }

        NativeMemory.AlignedFree(memory);
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Read(byte* memory, nint bytes, int turns)
    {
        Vector512<long> a = default, b = default, c = default, d = default;
        for (int turn = 0; turn < turns; turn++)
        {
            for (nint i = 0; i < bytes; i += VectorsAtOnce * Vector512<byte>.Count)
            {
                a += Vector512.LoadAligned((long*)(memory + i));
                b += Vector512.LoadAligned((long*)(memory + i + 64));
                c += Vector512.LoadAligned((long*)(memory + i + 128));
                d += Vector512.LoadAligned((long*)(memory + i + 192));
                a += Vector512.LoadAligned((long*)(memory + i + 256));
                b += Vector512.LoadAligned((long*)(memory + i + 320));
                c += Vector512.LoadAligned((long*)(memory + i + 384));
                d += Vector512.LoadAligned((long*)(memory + i + 448));
            }
        }

        Volatile.Write(ref s_kept, Vector512.Sum(a + b + c + d));
    }

    private static long s_kept;
}
