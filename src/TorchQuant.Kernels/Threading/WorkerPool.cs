using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Fork and join without allocation. Units 0..n-1 are dealt out as one range for each participant, so that the same thread meets the same panels of weights in every
/// call; whoever is done takes from the others' ranges, and the caller never waits for a worker that has not begun. One caller at a time: another one, or a nested one, runs its
/// units itself. A unit that throws does not keep the others from being done; the caller throws the first of the exceptions when nobody uses the state any more.
/// Where libtorch's threads hold the cores, they do the units instead of the pool's: <see cref="TeamChoice"/>.
/// </summary>
internal static unsafe class WorkerPool
{
    /// <summary>How long a worker looks for the next run before it parks: longer than the pauses between the layers of a model.</summary>
    private const int SpinMicroseconds = 200;

    /// <summary>How long of that it does not offer its core to others: a run that follows at once would find it gone for a whole slice of time.</summary>
    private const int AloneMicroseconds = 20;

    /// <summary>
    /// Waking a parked worker takes 10 to 60 us: it pays for one run above this, or for a series of runs that together passed it without the worker.
    /// </summary>
    private const long WakeNanoseconds = 150_000;

    /// <summary>Below this a run is over before another thread has seen it.</summary>
    private const long InlineNanoseconds = 2_000;

    /// <summary>Below this OpenMP's threads cost more than they do: all of them come, and the caller waits for each.</summary>
    private const long OpenMpNanoseconds = 10_000;

    /// <summary>Shorter runs say nothing about who comes late.</summary>
    private const long WeighedNanoseconds = 20_000;

    /// <summary>What may be lost before the other threads are moved.</summary>
    private const long LostMicroseconds = 100;

    private static readonly int s_most = Math.Max(1, Environment.ProcessorCount);
    private static readonly UnitRanges s_ranges = new(s_most);

    private static readonly AutoResetEvent?[] s_wake = new AutoResetEvent?[s_most];
    private static readonly bool[] s_isParked = new bool[s_most];
    private static readonly ThreadPlace[] s_places = ThreadPlace.Create(s_most);
    private static readonly Func<int, bool> s_holdsCores = OpenMpTeam.IsSpinning;
    private static readonly long s_spinTicks = SpinMicroseconds * Stopwatch.Frequency / 1_000_000, s_aloneTicks = AloneMicroseconds * Stopwatch.Frequency / 1_000_000;

    private static readonly long s_mostLost = LostMicroseconds * Stopwatch.Frequency / 1_000_000;

    private static int s_busy;
    private static int s_started = 1;
    private static long s_missedNanoseconds;
    private static long s_lost;

    private static delegate*<void*, int, void> s_body;
    private static void* s_state;
    private static int s_participants;
    private static int s_done;
    private static ExceptionDispatchInfo? s_fault;
    private static int s_run;

    /// <summary>The last run that the pool's own workers are to take part in.</summary>
    private static volatile int s_signal;

    /// <summary>When the last run that is measured was signalled, and what such runs have shown.</summary>
    private static long s_sent;
    private static CoreDistance s_distance;
    private static TeamChoice s_choice;

    /// <summary>Whose threads the next run is for. It changes by itself; tests set it.</summary>
    internal static ref TeamChoice Choice => ref s_choice;

    internal static bool HasParkedWorker => Array.Exists(s_isParked, static isParked => isParked);

    /// <summary>Calls body(state, unit) for every unit below <paramref name="units"/>, on at most <paramref name="threads"/> threads, and returns when all are done.</summary>
    /// <param name="units">How many units.</param>
    /// <param name="threads">How many threads may be used, the caller included.</param>
    /// <param name="body">What to do.</param>
    /// <param name="state">Passed to the body; stays valid during the call.</param>
    /// <param name="nanoseconds">What one thread would need for all units, roughly: whether it is worth waking others.</param>
    public static void Run(int units, int threads, delegate*<void*, int, void> body, void* state, long nanoseconds)
    {
        int participants = Math.Min(Math.Min(threads, s_most), units);
        if (participants <= 1 || !IsWorth(nanoseconds) || Interlocked.CompareExchange(ref s_busy, 1, 0) != 0)
        {
            RunAlone(units, body, state);
            return;
        }

        s_body = body;
        s_state = state;
        s_participants = participants;
        Volatile.Write(ref s_done, 0);
        s_ranges.Deal(++s_run, units, participants);
        if (s_choice.UsesOpenMp && nanoseconds < OpenMpNanoseconds)
            Work(0, s_run);
        else if (s_choice.UsesOpenMp)
            RunOnOpenMp(units, threads, nanoseconds);
        else
            RunOnWorkers(units, threads, nanoseconds);
        ExceptionDispatchInfo? fault = s_fault;
        s_fault = null;
        Volatile.Write(ref s_busy, 0);
        fault?.Throw();
    }

    /// <summary>How many threads work is worth: 1 if <see cref="Run"/> would do it alone, so that it need not be divided; else as many as it may have.</summary>
    /// <param name="threads">How many threads may be used.</param>
    /// <param name="nanoseconds">What one thread would need, roughly.</param>
    public static int Worth(int threads, long nanoseconds) => IsWorth(nanoseconds) ? threads : 1;

    /// <summary>The same work for <see cref="Run"/>, if threads exchange next to nothing in it: then it does not matter how far apart their cores are.</summary>
    /// <param name="nanoseconds">What one thread would need, roughly.</param>
    public static long WithoutExchange(long nanoseconds) => nanoseconds < InlineNanoseconds ? nanoseconds : Math.Max(nanoseconds, CoreDistance.LeastWork);

    private static bool IsWorth(long nanoseconds) => nanoseconds >= InlineNanoseconds && s_distance.IsWorth(nanoseconds);

    private static void RunOnWorkers(int units, int threads, long nanoseconds)
    {
        while (s_started < s_participants)
            Start(s_started++);
        if (s_run % CoreDistance.RunsOfSample == 0)
            Volatile.Write(ref s_sent, Stopwatch.GetTimestamp());
        s_signal = s_run;
        // The run must be visible before the parked flags are read: a worker sets its flag, then looks at the run once more.
        Interlocked.MemoryBarrier();
        bool isExpected = WakeIfWorth(s_participants, nanoseconds);
        long start = Stopwatch.GetTimestamp();
        int mine = Work(0, s_run);
        long ready = Stopwatch.GetTimestamp();
        for (int i = 0; Volatile.Read(ref s_done) < units; i++)
        {
            // A worker holds the last unit. It is nearly done, unless the machine has taken its core away.
            if (i < 2000)
                Thread.SpinWait(1);
            else
                Thread.Yield();
        }

        if (isExpected && nanoseconds >= WeighedNanoseconds)
            Weigh(mine, units, threads, start, ready);
    }

    private static void RunOnOpenMp(int units, int threads, long nanoseconds)
    {
        var region = new Region { Run = s_run };
        long start = Stopwatch.GetTimestamp();
        OpenMpTeam.Run(threads, &Join, &region);
        if (nanoseconds >= WeighedNanoseconds)
            Weigh(region.CallersUnits, units, threads, start, region.CallerReady);

        static void Join(int thread, void* state)
        {
            var region = (Region*)state;
            int finished = thread < s_participants ? Work(thread, region->Run) : 0;
            if (thread == 0)
                (region->CallersUnits, region->CallerReady) = (finished, Stopwatch.GetTimestamp());
        }
    }

    /// <summary>How much longer a run took because the caller did more than its share, then waited for others.</summary>
    private static void Weigh(int mine, int units, int threads, long start, long ready)
    {
        long end = Stopwatch.GetTimestamp();
        int share = (units + s_participants - 1) / s_participants;
        long lost = end - ready + (mine > share ? (ready - start) * (mine - share) / mine : 0);
        // Another thread may be where the caller is.
        s_lost = Math.Max(0, s_lost + lost - (end - start) / TeamChoice.LostShare);
        if (s_lost > s_mostLost)
        {
            s_lost = 0;
            if (s_choice.UsesOpenMp)
                OpenMpTeam.KeepApart();
            else
                KeepWorkersApart();
        }

        s_choice.Record(lost, end - start, end, threads, s_holdsCores);
    }

    private static void RunAlone(int units, delegate*<void*, int, void> body, void* state)
    {
        ExceptionDispatchInfo? fault = null;
        for (int unit = 0; unit < units; unit++)
        {
            try
            {
                body(state, unit);
            }
            catch (Exception e)
            {
                fault ??= ExceptionDispatchInfo.Capture(e);
            }
        }

        fault?.Throw();
    }

    /// <returns>Whether the workers can be expected: awake or called.</returns>
    private static bool WakeIfWorth(int participants, long nanoseconds)
    {
        bool missed = false;
        for (int p = 1; p < participants; p++)
            missed |= Volatile.Read(ref s_isParked[p]);
        if (!missed)
            return true;
        if ((s_missedNanoseconds += nanoseconds) < WakeNanoseconds)
            return false;
        s_missedNanoseconds = 0;
        KeepWorkersApart();
        for (int p = 1; p < participants; p++)
        {
            if (Volatile.Read(ref s_isParked[p]))
                s_wake[p]!.Set();
        }

        return true;
    }

    private static void KeepWorkersApart() => ThreadPlace.KeepApart(s_places.AsSpan(1, s_participants - 1));

    /// <summary>Takes units of one run until none is left: first its own range, then the others'.</summary>
    /// <returns>How many.</returns>
    private static int Work(int me, int run)
    {
        int participants = s_participants, finished = 0;
        for (int i = 0; i < participants; i++)
        {
            while (s_ranges.TryTake((me + i) % participants, run, out int unit))
            {
                Do(unit);
                finished++;
            }
        }

        if (finished > 0)
            Interlocked.Add(ref s_done, finished);
        return finished;
    }

    private static void Do(int unit)
    {
        try
        {
            s_body(s_state, unit);
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref s_fault, ExceptionDispatchInfo.Capture(e), null);
        }
    }

    private static void Start(int id)
    {
        s_wake[id] = new AutoResetEvent(false);
        // A worker's stack holds one tile and little else.
        new Thread(() => Loop(id), maxStackSize: 256 * 1024) { IsBackground = true, Name = $"TorchQuant worker {id}" }.Start();
    }

    private static void Loop(int id)
    {
        AutoResetEvent wake = s_wake[id]!;
        ThreadPlace place = s_places[id];
        place.Begin();
        int seen = 0;
        bool hasWaited = false;
        while (true)
        {
            place.Stay();
            int run = s_signal;
            if (run != seen)
            {
                seen = run;
                if (hasWaited && id == 1 && run % CoreDistance.RunsOfSample == 0)
                    Measure(run);
                hasWaited = false;
                if (id < s_participants)
                    Work(id, run);
            }
            else if (!(hasWaited = SpinUntilRun(seen)))
            {
                Volatile.Write(ref s_isParked[id], true);
                Interlocked.MemoryBarrier();
                if (s_signal == seen)
                    wake.WaitOne();
                Volatile.Write(ref s_isParked[id], false);
            }
        }
    }

    /// <summary>How long the signal of a run took to here. The time that is read is that run's, since no later one had begun when it was.</summary>
    private static void Measure(int run)
    {
        long now = Stopwatch.GetTimestamp(), sent = Volatile.Read(ref s_sent);
        if (s_signal == run)
            s_distance.Record(now - sent, now);
    }

    private static bool SpinUntilRun(int seen)
    {
        long start = Stopwatch.GetTimestamp(), elapsed;
        do
        {
            for (int i = 0; i < 32; i++)
            {
                if (s_signal != seen)
                    return true;
                Thread.SpinWait(1);
            }

            elapsed = Stopwatch.GetTimestamp() - start;
            // With more runnable threads than cores, another one may be what the caller waits for.
            if (elapsed > s_aloneTicks)
                Thread.Yield();
        }
        while (elapsed < s_spinTicks);
        return false;
    }

    private struct Region
    {
        public int Run;
        public int CallersUnits;
        public long CallerReady;
    }
}
