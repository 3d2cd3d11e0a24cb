using System.Diagnostics;
using System.Runtime;

namespace TorchQuant.Benchmarks.Races;

/// <summary>A contender in a race: how often it has to run for a sample, and its samples.</summary>
/// <param name="contender">What runs.</param>
/// <param name="threads">How many threads it uses.</param>
internal sealed class Runner(IContender contender, int threads) : IDisposable
{
    private const int MostTimes = 1_000_000;

    /// <summary>Seconds after which a large shape is warm.</summary>
    private const double LongWarmUp = 0.5;

    /// <summary>
    /// .NET compiles a method again, with optimizations, after 30 calls, in the background, when it has compiled nothing for 100 ms. What is called from C# runs before it counts until
    /// nothing has been compiled for some time, or to a limit; quick tests do without.
    /// </summary>
    private const int ManagedWarmUpRuns = 40;
    private const double NothingCompiled = 0.4, LongestManagedWarmUp = 6, LeastSampleSeconds = 1e-3;

    /// <summary>A sample during which the core was taken away for more than this part of the time is taken again.</summary>
    private const double Disturbed = 0.02;

    /// <summary>A sample that takes so many times as long as it should is not taken again, and later ones do less.</summary>
    private const double Overlong = 10;

    private readonly List<double> _seconds = [];
    private int _times = 1;

    public IContender Contender => contender;

    /// <summary>Samples that stayed disturbed, however often they were taken.</summary>
    public int DisturbedSamples { get; private set; }

    public double BestSeconds => _seconds.Min();

    public double MedianSeconds => Statistics.Median(_seconds);

    /// <summary>Runs until everything is compiled, checks the result, and finds how many runs fill a sample.</summary>
    public Agreement WarmUp(double sampleSeconds)
    {
        contender.Enter();
        // TorchScript profiles, then compiles, then runs.
        long start = Stopwatch.GetTimestamp();
        for (int times = 1; times <= 3 && Stopwatch.GetElapsedTime(start).TotalSeconds < LongWarmUp; times++)
            contender.Run(times);
        if (contender.Side == Side.Ours && sampleSeconds >= LeastSampleSeconds)
            WarmUpManaged();
        Agreement agreement = contender.Check();
        while (_times < MostTimes)
        {
            // The shorter of two: one that was interrupted would make the samples too short.
            double seconds = Math.Min(Time(_times).Seconds, Time(_times).Seconds);
            if (seconds >= 0.7 * sampleSeconds)
                break;
            double wanted = _times * sampleSeconds / Math.Max(seconds, 1e-7);
            _times = (int)Math.Min(Math.Max(_times + 1, Math.Min(wanted, 8.0 * _times)), MostTimes);
        }

        Rest();
        return agreement;
    }

    private void WarmUpManaged()
    {
        long start = Stopwatch.GetTimestamp(), last = start, compiled = 0;
        for (int runs = 0; Stopwatch.GetElapsedTime(start).TotalSeconds < LongestManagedWarmUp; runs++)
        {
            if (JitInfo.GetCompiledMethodCount() is long now && now != compiled)
                (compiled, last) = (now, Stopwatch.GetTimestamp());
            else if (runs >= ManagedWarmUpRuns && Stopwatch.GetElapsedTime(last).TotalSeconds >= NothingCompiled)
                break;
            contender.Run(1);
        }
    }

    /// <summary>Takes one sample; up to <paramref name="tries"/> times if others disturb it, then the least disturbed.</summary>
    public void Sample(int tries, double sampleSeconds)
    {
        contender.Enter();
        double best = double.PositiveInfinity, seconds = 0;
        for (int i = 0; i < tries && best > Disturbed; i++)
        {
            // Who has slept gets the core for a whole slice of time.
            Thread.Sleep(1);
            // The caches are full of what the one before needed. Threads are to be woken, and the system moves them to a core of their own only after a while.
            contender.Run(threads > 1 ? _times : Math.Max(1, _times / 10));
            (double taken, double lost) = Time(_times);
            if (lost < best)
                (best, seconds) = (lost, taken);
            if (taken > Overlong * sampleSeconds)
                break;
        }

        bool disturbed = best > Disturbed;
        DisturbedSamples += disturbed ? 1 : 0;
        // With one thread the time without the core is known, and nobody waits for another: it does not count.
        _seconds.Add((disturbed && threads == 1 ? seconds * (1 - best) : seconds) / _times);
        // Threads that wait for each other take a hundred times as long when others hold the cores: such samples would never end.
        if (seconds > Overlong * sampleSeconds)
            _times = (int)Math.Max(1, _times * sampleSeconds / seconds);
        Rest();
    }

    public void Dispose() => contender.Dispose();

    /// <summary>Seconds, and the part of them during which this thread was not running.</summary>
    private (double Seconds, double Lost) Time(int times)
    {
        double? running = ThreadTime.Seconds;
        long start = Stopwatch.GetTimestamp();
        contender.Run(times);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return (seconds, running is null ? 0 : 1 - (ThreadTime.Seconds!.Value - running.Value) / seconds);
    }

    private void Rest()
    {
        if (contender.Spin > TimeSpan.Zero)
            Thread.Sleep(contender.Spin);
    }
}
