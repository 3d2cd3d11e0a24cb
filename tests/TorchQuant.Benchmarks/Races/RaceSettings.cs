namespace TorchQuant.Benchmarks.Races;

/// <summary>How a race is run.</summary>
/// <param name="Threads">The numbers of threads.</param>
/// <param name="Rounds">How many samples of each contender, in turns, at least.</param>
/// <param name="SampleSeconds">How long a sample takes on one thread, about.</param>
/// <param name="Quick">Whether a few small shapes are enough: a test that everything runs, not a measurement.</param>
internal sealed record RaceSettings(IReadOnlyList<int> Threads, int Rounds, double SampleSeconds, bool Quick)
{
    private const double OnSeveralThreads = 10;

    /// <summary>How many samples of each contender where these disagree: see <see cref="Settlement"/>.</summary>
    public int MostRounds => Quick ? Rounds : 4 * Rounds;

    /// <summary>How long a sample takes, about: several threads take a while until each has a core of its own.</summary>
    public double SampleSecondsOn(int threads) => threads > 1 && !Quick ? OnSeveralThreads * SampleSeconds : SampleSeconds;

    /// <summary>How often a disturbed sample is taken.</summary>
    public int Tries => Quick ? 1 : 10;
}
