using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>Chooses among the calls that were seen what is fused: in the order of the calls, the longest sequence first.</summary>
internal sealed class FusionSelection
{
    private readonly IReadOnlyDictionary<FusionLink, string> _refused;
    private readonly FusionObstacles _obstacles;
    private readonly List<Candidate> _candidates;

    /// <param name="model">The user's model.</param>
    /// <param name="recorders">What was seen of its modules.</param>
    /// <param name="links">The calls on another module's output, in order.</param>
    /// <param name="refused">Those that must not be fused, with the reason.</param>
    /// <param name="table">The sequences that can be fused.</param>
    public FusionSelection(nn.Module model, IReadOnlyList<CallRecorder> recorders, IReadOnlyList<FusionLink> links, IReadOnlyDictionary<FusionLink, string> refused, IReadOnlyList<FusionPattern> table)
    {
        _refused = refused;
        var graph = new ModuleGraph((_, _) => true);
        graph.Walk(model);
        _obstacles = new FusionObstacles(graph);
        var modules = graph.Modules.ToLookup(m => m.Path, m => m.Module, StringComparer.Ordinal);
        var next = links.Distinct().ToLookup(l => l.From);
        _candidates = [.. from start in links.Select(l => l.From).Distinct()
                          from pattern in table.OrderByDescending(p => p.Types.Count)
                          from path in Paths([start], pattern, next)
                          select new Candidate(path, new FusionGroup([.. path.Select(r => r.Path)], [.. path.Select(r => modules[r.Path].First(m => m.GetType() == r.Module.GetType()))], pattern))];
    }

    /// <summary>What is fused and what is not.</summary>
    public FusionReport Report()
    {
        var takenBy = new Dictionary<CallRecorder, FusionGroup>();
        var refusals = new Dictionary<Candidate, string>();
        var fused = new List<FusionGroup>();
        foreach (var candidate in _candidates)
        {
            if (Refusal(candidate, takenBy) is { } refusal)
            {
                refusals.Add(candidate, refusal);
                continue;
            }

            fused.Add(candidate.Group);
            foreach (var module in candidate.Path) takenBy.Add(module, candidate.Group);
        }

        return new FusionReport([.. fused.Select(g => new FusedSequence(g.Names, g.Pattern.Types, g.Pattern.Fused))],
            [.. refusals.Where(r => !_candidates.Exists(c => c.Contains(r.Key))).Select(r => new UnfusedSequence(r.Key.Group.Names, r.Key.Group.Pattern.Types, r.Value))]);
    }

    private string? Refusal(Candidate candidate, Dictionary<CallRecorder, FusionGroup> takenBy)
    {
        foreach (var (from, to) in candidate.Path.Zip(candidate.Path.Skip(1)))
            if (_refused.TryGetValue(new FusionLink(from, to), out var reason)) return reason;
        if (candidate.Path.FirstOrDefault(takenBy.ContainsKey) is { } taken) return $"{taken} is fused in {takenBy[taken].Label}";
        return Axes(candidate) ?? _obstacles.Of(candidate.Group).FirstOrDefault();
    }

    /// <summary>A batch norm scales axis 1, a folded one the axis of the outputs; they are the same only for inputs with a batch axis, and for a Linear only without others.</summary>
    private static string? Axes(Candidate candidate)
    {
        if (!(candidate.Group.Pattern.Folds || candidate.Group.Pattern.KeepsNorm)) return null;
        var first = candidate.Path[0];
        var expected = first.Module is Convolution conv ? conv.kernel_size.Length + 2 : 2;
        return first.Axes == expected ? null : $"{first} gives {first.Axes} axes, and {candidate.Path[1]} normalizes axis 1, which is not that of its outputs; it can be folded where there are {expected}";
    }

    private static IEnumerable<List<CallRecorder>> Paths(List<CallRecorder> path, FusionPattern pattern, ILookup<CallRecorder, FusionLink> next)
    {
        if (path[^1].Module.GetType() != pattern.Types[path.Count - 1]) return [];
        return path.Count == pattern.Types.Count ? [path] : next[path[^1]].SelectMany(link => Paths([.. path, link.To], pattern, next));
    }

    private sealed record Candidate(IReadOnlyList<CallRecorder> Path, FusionGroup Group)
    {
        public bool Contains(Candidate part)
            => Path.Count > part.Path.Count && Enumerable.Range(0, Path.Count - part.Path.Count + 1).Any(start => Path.Skip(start).Take(part.Path.Count).SequenceEqual(part.Path));
    }
}
