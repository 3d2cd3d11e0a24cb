using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Xunit;
using TorchQuant.Kernels;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests;

/// <summary>The kernels' units on the threads of libtorch's OpenMP: GNU's, on Linux.</summary>
public sealed class OpenMpTeamTests : IDisposable
{
    private const long Long = 1_000_000;
    private const string NoLibrary = "libtorch has GNU's OpenMP on Linux only.";

    public OpenMpTeamTests()
    {
        if (OpenMpTeam.IsAvailable)
            WorkerPool.Choice = new TeamChoice { UsesOpenMp = true };
    }

    public static bool IsLinux => RuntimeInformation.IsOSPlatform(OSPlatform.Linux);

    public void Dispose() => WorkerPool.Choice = default;

    [Fact(Skip = NoLibrary, SkipUnless = nameof(IsLinux))]
    public void It_is_found_in_a_process_with_libtorch() => Assert.True(OpenMpTeam.IsAvailable);

    [Fact(Skip = NoLibrary, SkipUnless = nameof(IsLinux))]
    public unsafe void Its_threads_spin_after_an_operator_and_sleep_later()
    {
        WorkerPool.Choice = default;
        var threads = Math.Max(2, get_num_threads());
        // Others of the process may hold the cores for a while.
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                OpenMpTeam.Run(threads, &Nothing, null);
                return OpenMpTeam.IsSpinning(threads);
            },
            TimeSpan.FromSeconds(60)));
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                Thread.Sleep(100);
                return !OpenMpTeam.IsSpinning(threads);
            },
            TimeSpan.FromSeconds(60)));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            _ = OpenMpTeam.IsSpinning(threads);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static unsafe void Nothing(int thread, void* state)
        {
        }
    }

    [Fact(Skip = NoLibrary, SkipUnless = nameof(IsLinux))]
    public unsafe void Every_thread_is_called_once_and_the_caller_is_the_first()
    {
        var calls = stackalloc int[5];
        for (var threads = 1; threads <= 4; threads++)
        {
            new Span<int>(calls, 5).Clear();
            OpenMpTeam.Run(threads, &Count, calls);
            Assert.Equal(Enumerable.Repeat(1, threads), new Span<int>(calls, threads).ToArray());
            Assert.Equal(Environment.CurrentManagedThreadId, calls[4]);
        }

        static unsafe void Count(int thread, void* state)
        {
            Interlocked.Increment(ref ((int*)state)[thread]);
            if (thread == 0)
                ((int*)state)[4] = Environment.CurrentManagedThreadId;
        }
    }

    [Property(MaxTest = 300, EndSize = 200)]
    public void Every_unit_is_done_exactly_once(NonNegativeInt units, PositiveInt threads) => AssertOnce(units.Get, threads.Get % 6 + 1);

    [Fact]
    public async Task Callers_at_once_all_get_their_units_done() =>
        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() =>
        {
            for (var repeat = 0; repeat < 100; repeat++)
                AssertOnce(1 + (i * 7 + repeat) % 40, 1 + repeat % 4);
        })));

    [Fact]
    public unsafe void A_unit_that_throws_leaves_no_other_undone_and_the_caller_gets_the_exception()
    {
        var counts = stackalloc int[40];
        new Span<int>(counts, 40).Clear();
        var state = (nint)counts;
        var e = Assert.Throws<InvalidOperationException>(() => WorkerPool.Run(40, 2, &CountAndThrow, (void*)state, Long));
        Assert.Equal("unit 7", e.Message);
        Assert.Equal(Enumerable.Repeat(1, 40), new Span<int>(counts, 40).ToArray());

        static unsafe void CountAndThrow(void* state, int unit)
        {
            Interlocked.Increment(ref ((int*)state)[unit]);
            if (unit == 7)
                throw new InvalidOperationException("unit 7");
        }
    }

    [Fact(Skip = "Threads of a process are listed by Linux only.", SkipUnless = nameof(IsLinux))]
    public void Libtorchs_team_is_used_as_it_is()
    {
        var threads = get_num_threads();
        using var x = randn(1000, 1000);
        Alternate();
        var before = Directory.GetDirectories("/proc/self/task").Length;
        for (var i = 0; i < 20; i++)
            Alternate();
        Assert.InRange(Directory.GetDirectories("/proc/self/task").Length, before - 3, before + 3);

        void Alternate()
        {
            x.neg().Dispose();
            AssertOnce(50, threads);
        }
    }

    [Fact]
    public void A_layer_gives_the_same_bits_on_either_team()
    {
        var random = new System.Random(1);
        var weights = new sbyte[200 * 120];
        var input = new byte[150 * 120];
        foreach (ref var w in weights.AsSpan())
            w = (sbyte)random.Next(-128, 128);
        random.NextBytes(input);
        var packed = PackedWeights.Pack(weights, 200, 120, [0.01f]);
        var (one, other) = (new byte[150 * 200], new byte[150 * 200]);
        Int8Gemm.MultiplyToByte(input, 150, new QParams(0.1f, 3), packed, [], new QParams(5, 100), FusedActivation.None, one, threads: 2);
        WorkerPool.Choice = default;
        Int8Gemm.MultiplyToByte(input, 150, new QParams(0.1f, 3), packed, [], new QParams(5, 100), FusedActivation.None, other, threads: 2);
        Assert.Equal(other, one);
        Assert.True(one.Distinct().Count() > 50);
    }

    private static unsafe void AssertOnce(int units, int threads)
    {
        var counts = new int[units + 1];
        fixed (int* state = counts)
            WorkerPool.Run(units, threads, &Count, state, Long);
        Assert.Equal([.. Enumerable.Repeat(1, units), 0], counts);

        static unsafe void Count(void* state, int unit) => Interlocked.Increment(ref ((int*)state)[unit]);
    }
}
