using System.Diagnostics;

namespace TorchQuant.Kernels;

/// <summary>
/// How far apart the cores of the caller and of a worker are. Between cores that share no cache a line takes several times as long, on shared machines from one minute to the next, and what near cores do together
/// in half the time then takes longer than one core alone. It is the time from the caller's signal until a worker that waits for it has seen it: the least of some runs, since others interrupt.
/// </summary>
internal struct CoreDistance
{
    /// <summary>One of so many runs is measured.</summary>
    public const int RunsOfSample = 4;

    private const int Samples = 16;

    /// <summary>Above this the cores are far: near ones need 60 to 120 ns, far ones 250 and more.</summary>
    private const double FarNanoseconds = 180;

    /// <summary>Work that far cores are not worth it for.</summary>
    public const long LeastWork = 10_000;

    /// <summary>How long far cores are believed to be far without another measurement: then some runs are shared to see.</summary>
    private static readonly long s_far = (long)(FarNanoseconds * Stopwatch.Frequency / 1e9), s_memory = Stopwatch.Frequency / 10;

    private long _least;
    private int _samples;
    private long _farUntil;

    /// <summary>Whether work is worth sharing between these cores.</summary>
    /// <param name="nanoseconds">What one thread would need, roughly.</param>
    public readonly bool IsWorth(long nanoseconds) => nanoseconds >= LeastWork || _farUntil == 0 || Stopwatch.GetTimestamp() > _farUntil;

    /// <summary>Takes note of a run; one worker does.</summary>
    /// <param name="ticks">Ticks of <see cref="Stopwatch"/> until the worker saw the signal.</param>
    /// <param name="now">When.</param>
    public void Record(long ticks, long now)
    {
        _least = _samples == 0 ? ticks : Math.Min(_least, ticks);
        if (++_samples < Samples)
            return;
        _samples = 0;
        _farUntil = _least > s_far ? now + s_memory : 0;
    }
}
