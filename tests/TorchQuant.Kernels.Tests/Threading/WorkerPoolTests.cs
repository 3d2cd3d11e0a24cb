using FsCheck;
using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class WorkerPoolTests
{
    /// <summary>Enough that workers are woken.</summary>
    private const long Long = 1_000_000;

    [Property(MaxTest = 300, EndSize = 200)]
    public void Every_unit_is_done_exactly_once(NonNegativeInt units, PositiveInt threads) => AssertOnce(units.Get, threads.Get % 6 + 1);

    [Fact]
    public async Task Callers_at_once_all_get_their_units_done()
    {
        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() =>
        {
            for (int repeat = 0; repeat < 200; repeat++)
                AssertOnce(units: 1 + (i * 7 + repeat) % 40, threads: 1 + repeat % 4);
        })));
    }

    [Fact]
    public unsafe void A_worker_late_from_one_run_takes_nothing_from_the_next_before_it_begins()
    {
        // Short runs of growing and shrinking ranges, one right after the other, on cores that are taken away at any moment: now and then a worker looks at a range
        // while the caller lays out the next run.
        using var stop = new CancellationTokenSource();
        Thread[] others = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(() => Burn(stop.Token)))];
        Array.ForEach(others, thread => thread.Start());
        int* counts = stackalloc int[64];
        string? wrong = null;
        for (int run = 0; run < 300_000 && wrong is null; run++)
        {
            int units = 2 + run * 7 % 62;
            new Span<int>(counts, 64).Clear();
            WorkerPool.Run(units, 2 + run % 2, &Count, counts, Long);
            if (new Span<int>(counts, units).ContainsAnyExcept(1) || new Span<int>(counts + units, 64 - units).ContainsAnyExcept(0))
                wrong = $"Run {run} of {units} units: {string.Join(' ', new Span<int>(counts, 64).ToArray())}";
        }

        stop.Cancel();
        Array.ForEach(others, thread => thread.Join());
        Assert.Null(wrong);

        static void Count(void* state, int unit) => Interlocked.Increment(ref ((int*)state)[unit]);
        static void Burn(CancellationToken stop)
        {
            while (!stop.IsCancellationRequested)
                Thread.SpinWait(1000);
        }
    }

    [Fact]
    public void Work_that_is_over_before_another_thread_has_seen_it_is_worth_one_thread()
    {
        Assert.Equal(1, WorkerPool.Worth(4, 100));
        Assert.Equal(4, WorkerPool.Worth(4, Long));
    }

    [Fact]
    public unsafe void A_run_inside_a_run_is_done_by_its_caller()
    {
        int done = 0;
        WorkerPool.Run(20, 4, &Outer, &done, Long);
        Assert.Equal(20 * 10, done);

        static void Outer(void* state, int unit) => WorkerPool.Run(10, 4, &Inner, state, Long);
        static void Inner(void* state, int unit) => Interlocked.Increment(ref *(int*)state);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public unsafe void A_unit_that_throws_leaves_no_other_undone_and_the_caller_gets_the_exception(int threads)
    {
        int* counts = stackalloc int[40];
        for (int repeat = 0; repeat < 200; repeat++)
        {
            new Span<int>(counts, 40).Clear();
            nint state = (nint)counts;
            InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => WorkerPool.Run(40, threads, &CountAndThrow, (void*)state, Long));
            Assert.Equal("unit 7", e.Message);
            Assert.Equal(Enumerable.Repeat(1, 40), new Span<int>(counts, 40).ToArray());
            AssertOnce(units: 30, threads);
        }

        static void CountAndThrow(void* state, int unit)
        {
            Interlocked.Increment(ref ((int*)state)[unit]);
            if (unit == 7)
                throw new InvalidOperationException("unit 7");
        }
    }

    [Fact]
    public unsafe void The_caller_does_the_units_of_a_worker_that_has_not_begun()
    {
        // Its first unit keeps every worker busy until the caller has done all others: whoever waited for a share dealt out beforehand would wait for ever.
        for (int repeat = 0; repeat < 50; repeat++)
        {
            var state = new Held { Caller = Environment.CurrentManagedThreadId, Left = 60 };
            WorkerPool.Run(60, 4, &Hold, &state, Long);
            Assert.Equal(0, state.Left);
        }

        static void Hold(void* state, int unit)
        {
            var held = (Held*)state;
            if (Environment.CurrentManagedThreadId != held->Caller)
            {
                // At most three workers hold one unit each, so that the caller can do the rest.
                while (Volatile.Read(ref held->Left) > 3)
                    Thread.SpinWait(10);
            }

            Interlocked.Decrement(ref held->Left);
        }
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        AssertOnce(units: 50, threads: 2);
        Assert.Equal(0, Allocations.Least(static () => RunEmpty()));

        static unsafe void RunEmpty() => WorkerPool.Run(50, 2, &Nothing, null, Long);
        static unsafe void Nothing(void* state, int unit)
        {
        }
    }

    [Fact]
    public void Parked_workers_wake_for_a_later_run()
    {
        AssertOnce(units: 50, threads: 4);
        if (Environment.ProcessorCount > 1)
            Assert.True(SpinWait.SpinUntil(static () => WorkerPool.HasParkedWorker, TimeSpan.FromSeconds(30)));
        AssertOnce(units: 50, threads: 4);
    }

    private static unsafe void AssertOnce(int units, int threads)
    {
        int[] counts = new int[units + 1];
        fixed (int* state = counts)
            WorkerPool.Run(units, threads, &Count, state, Long);
        Assert.Equal([.. Enumerable.Repeat(1, units), 0], counts);

        static void Count(void* state, int unit) => Interlocked.Increment(ref ((int*)state)[unit]);
    }

    private struct Held
    {
        public int Caller;
        public int Left;
    }
}
