using System.Diagnostics;

namespace TorchQuant.Kernels;

/// <summary>
/// Whose threads do the work: the pool's own, which never keep the caller waiting for a thread that has not begun, or OpenMP's, which hold the cores after each parallel operator of libtorch.
/// Neither can know who wants the cores; but a run shows how much time was lost because the others did not come or did not finish. The pool hands over when it loses a quarter of the time and OpenMP's
/// threads are running although nobody asked them to. They may stall a run for milliseconds when they have slept; where they stall every fifth, others want the cores, and it takes twice as long each time
/// until they are tried again. And they hand back after a while, each time twice as long if the pool's own lose at once again: the operators of libtorch may be over.
/// </summary>
internal struct TeamChoice
{
    /// <summary>The part of the time that may be lost: 1 / 4.</summary>
    public const int LostShare = 4;

    /// <summary>What a stalled run weighs against one that was not, and the weight that is too much: four in a row, or a fifth of all.</summary>
    private const int StallWeight = 4, MostStalls = 16;

    /// <summary>What may be lost in all before OpenMP's threads are looked at, less than one pass through a model, and what one run counts at most: a core can be taken away once on any machine.</summary>
    private static readonly long s_patience = Ticks(milliseconds: 0.3), s_mostOfARun = Ticks(milliseconds: 0.15);

    /// <summary>How long OpenMP's threads hold the cores after a run of ours, a little more than 7 ms as they are built: what is lost then says nothing about libtorch's operators.</summary>
    private static readonly long s_grace = Ticks(milliseconds: 8);

    private static readonly long s_firstPause = Ticks(milliseconds: 50), s_longestPause = Ticks(milliseconds: 5000);
    private static readonly long s_firstStint = Ticks(milliseconds: 100), s_longestStint = Ticks(milliseconds: 5000);

    /// <summary>A run that lost a quarter of its time and more than this has stalled.</summary>
    private static readonly long s_stall = Ticks(milliseconds: 0.1);

    private long _lost, _since, _workersSince, _stint, _pausedUntil, _pause;
    private int _stalls;

    public bool UsesOpenMp { readonly get; internal set; }

    /// <summary>Takes note of a run.</summary>
    /// <param name="lost">Ticks of <see cref="Stopwatch"/> that it would have been shorter if all had done their share.</param>
    /// <param name="total">Ticks that it took.</param>
    /// <param name="now">When it ended.</param>
    /// <param name="threads">The number of threads that it was for.</param>
    /// <param name="holdsCores">Whether so many of OpenMP's threads hold cores; asked every 50 ms at most.</param>
    public void Record(long lost, long total, long now, int threads, Func<int, bool> holdsCores)
    {
        if (UsesOpenMp)
            RecordOpenMp(isStalled: lost > s_stall && lost > total / LostShare, now);
        else
            RecordWorkers(Math.Min(lost, s_mostOfARun) - Math.Min(total, s_mostOfARun) / LostShare, now, threads, holdsCores);
    }

    private void RecordOpenMp(bool isStalled, long now)
    {
        _stalls = Math.Max(0, _stalls + (isStalled ? StallWeight : -1));
        bool isOver = now - _since > _stint;
        if (_stalls < MostStalls && !isOver)
            return;
        (UsesOpenMp, _workersSince) = (false, now);
        if (isOver)
            _pause = 0;
        else
            Pause(now);
    }

    private void RecordWorkers(long lost, long now, int threads, Func<int, bool> holdsCores)
    {
        if (now - _workersSince < s_grace)
            return;
        _lost = Math.Max(0, _lost + lost);
        if (_lost < s_patience)
            return;
        _lost = 0;
        if (now < _pausedUntil)
            return;
        UsesOpenMp = holdsCores(threads);
        if (!UsesOpenMp)
        {
            _pausedUntil = now + s_firstPause;
            return;
        }

        _stint = now - _workersSince < _stint ? Math.Min(2 * _stint, s_longestStint) : s_firstStint;
        (_since, _stalls) = (now, 0);
    }

    private void Pause(long now)
    {
        _pause = Math.Clamp(2 * _pause, s_firstPause, s_longestPause);
        _pausedUntil = now + _pause;
    }

    private static long Ticks(double milliseconds) => (long)(milliseconds * Stopwatch.Frequency / 1000);
}
