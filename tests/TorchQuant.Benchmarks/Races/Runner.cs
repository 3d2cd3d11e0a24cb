using System.Diagnostics;

namespace TorchQuant.Benchmarks.Races;

/// <summary>A contender in a race: how often it has to run for a sample, and its samples.</summary>
internal sealed class Runner(IContender contender) : IDisposable
{
    private const int MostTimes = 1_000_000;

    /// <summary>Seconds after which a large shape is warm.</summary>
    private const double LongWarmUp = 0.5;

    /// <summary>A sample during which the machine was busy with something else for more than this part of the time is taken again.</summary>
    private const double Disturbed = 0.02;

    /// <summary>A sample that takes so many times as long as it should is not taken again, and later ones do less.</summary>
    private const double Overlong = 4;

    private readonly List<double> _seconds = [];
    private int _times = 1;

    public IContender Contender => contender;

    /// <summary>Samples that stayed disturbed, however often they were taken.</summary>
    public int DisturbedSamples { get; private set; }

    public double MedianSeconds => Statistics.Median(_seconds);

    /// <summary>Runs until everything is compiled, checks the result, and finds how many runs fill a sample.</summary>
    public Agreement WarmUp(double sampleSeconds)
    {
        contender.Enter();
        // TorchScript profiles, then compiles, then runs; .NET compiles a method again after some calls.
        long start = Stopwatch.GetTimestamp();
        for (int times = 1; times <= 3 && Stopwatch.GetElapsedTime(start).TotalSeconds < LongWarmUp; times++)
            contender.Run(times);
        Agreement agreement = contender.Check();
        while (_times < MostTimes)
        {
            // The shorter of two: one that was interrupted would make the samples too short.
            double seconds = Math.Min(Time(_times), Time(_times));
            if (seconds >= 0.7 * sampleSeconds)
                break;
            double wanted = _times * sampleSeconds / Math.Max(seconds, 1e-7);
            _times = (int)Math.Min(Math.Max(_times + 1, Math.Min(wanted, 8.0 * _times)), MostTimes);
        }

        Rest();
        return agreement;
    }

    /// <summary>Takes one sample; up to <paramref name="tries"/> times if others disturb it, then the least disturbed.</summary>
    public void Sample(int tries, double sampleSeconds)
    {
        contender.Enter();
        double best = double.PositiveInfinity, seconds = 0;
        for (int i = 0; i < tries && best > Disturbed; i++)
        {
            if (i > 0)
                Thread.Sleep(20);
            // The caches are full of what the one before needed.
            contender.Run(Math.Max(1, _times / 10));
            long before = ProcessorPressure.StalledMicroseconds();
            double taken = Time(_times);
            if (taken > Overlong * sampleSeconds)
                tries = 0;
            double stalled = 1e-6 * (ProcessorPressure.StalledMicroseconds() - before) / taken;
            if (stalled < best)
                (best, seconds) = (stalled, taken);
        }

        DisturbedSamples += best > Disturbed ? 1 : 0;
        _seconds.Add(seconds / _times);
        // Threads that wait for each other take a hundred times as long when others hold the cores: such samples would never end.
        if (seconds > Overlong * sampleSeconds)
            _times = (int)Math.Max(1, _times * sampleSeconds / seconds);
        Rest();
    }

    public void Dispose() => contender.Dispose();

    private double Time(int times)
    {
        long start = Stopwatch.GetTimestamp();
        contender.Run(times);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private void Rest()
    {
        if (contender.Spin > TimeSpan.Zero)
            Thread.Sleep(contender.Spin);
    }
}
