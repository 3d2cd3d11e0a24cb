using TorchQuant.Benchmarks.Limits;
using TorchSharp;

namespace TorchQuant.Benchmarks.Races;

/// <summary>Runs matches: all contenders of a match are prepared and checked, then take samples in turns, so that whatever disturbs the machine disturbs all of them.</summary>
internal sealed class Race(RaceSettings settings, Machine machine, Action<string> say)
{
    /// <summary>Whether one of ours gave a wrong result.</summary>
    public bool HasFailed { get; private set; }

    public int Samples { get; private set; }

    public int DisturbedSamples { get; private set; }

    /// <summary>Seconds that a line of the cache took from core to core, before each match on several threads.</summary>
    public List<double> CoreLatencies { get; } = [];

    /// <summary>The rows of one match with one number of threads.</summary>
    public IReadOnlyList<RaceRow> Run(Match match, int threads)
    {
        var runners = new List<(Runner Runner, Agreement Agreement)>();
        // The tensors of the contenders live as long as the match.
        using var scope = torch.NewDisposeScope();
        try
        {
            foreach (Func<IContender> create in match.Enter(threads))
                Admit(match, threads, create, runners);
            if (threads > 1)
                CoreLatencies.Add(CoreLatency.SecondsNow());
            var peaks = new List<double>();
            int round = 0;
            while (round < settings.Rounds || (round < settings.MostRounds && !Settlement.IsSettled([.. runners.Select(static r => (r.Runner.Contender.Side, r.Runner.BestSeconds, r.Runner.MedianSeconds))])))
            {
                // Each begins once: none always follows the same one.
                for (int i = 0; i < runners.Count; i++)
                    runners[(round + i) % runners.Count].Runner.Sample(settings.Tries, settings.SampleSecondsOn(threads));
                peaks.Add(Machine.PeakNow(threads, settings.SampleSecondsOn(threads)));
                round++;
            }

            Samples += round * runners.Count;
            DisturbedSamples += runners.Sum(r => r.Runner.DisturbedSamples);
            Machine now = machine.WithPeak(threads, Statistics.Median(peaks));
            double limit = now.LimitSeconds(match.MultiplyAdds, match.Bytes, match.Footprint, threads);
            return [.. runners.Select(r => new RaceRow(
                match.Group, match.Shape, threads, r.Runner.Contender.Name, r.Runner.Contender.Side, r.Runner.MedianSeconds, match.MultiplyAdds, limit, match.Bytes, r.Agreement))];
        }
        finally
        {
            foreach ((Runner runner, _) in runners)
                runner.Dispose();
            runners.Clear();
            FreedMemory.Return();
        }
    }

    private void Admit(Match match, int threads, Func<IContender> create, List<(Runner Runner, Agreement Agreement)> runners)
    {
        Runner? runner = null;
        try
        {
            runner = new Runner(create(), threads);
            runners.Add((runner, runner.WarmUp(settings.SampleSecondsOn(threads))));
        }
        catch (Exception e)
        {
            // A peer that lacks an operator or computes something else is left out, with the reason; ours must do all.
            string name = runner?.Contender.Name ?? "a contender";
            HasFailed |= runner is null || runner.Contender.Side == Side.Ours;
            say($"{match.Group} {match.Shape}, {threads} thread(s): {name} is left out: {e.Message.Split('\n')[0]}");
            runner?.Dispose();
        }
    }
}
