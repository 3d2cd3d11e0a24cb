using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>Reads the names of a call to <c>fuse_modules</c> or <c>fuse_modules_qat</c> and finds everything that is wrong with it. The model is only read.</summary>
internal sealed class FusionCheck
{
    private readonly List<FusionGroup> _groups = [];
    private readonly List<string> _problems = [];
    private readonly List<(string Label, nn.Module Module)> _named = [];
    private readonly ModuleGraph _graph = new((_, _) => true);
    private readonly ModuleNames _names;
    private readonly IReadOnlyList<FusionPattern> _table;
    private bool _unknownSequence;

    private FusionCheck(nn.Module model, IReadOnlyList<IReadOnlyList<string>> lists, IReadOnlyList<FusionPattern> table)
    {
        _table = table;
        TorchSharpPrivates.EnsureSupported();
        _graph.Walk(model);
        _names = new ModuleNames(model, _graph.Modules);
        foreach (var list in lists) Read(list);
        Twice();
        var obstacles = new FusionObstacles(_graph);
        foreach (var group in _groups)
        {
            if (WrongMode(group) is { } mode) _problems.Add($"{group.Label}: {mode}");
            _problems.AddRange(obstacles.Of(group).Select(o => $"{group.Label}: {o}"));
            Places(group);
        }

        if (_unknownSequence) _problems.Add($"sequences that can be fused: {string.Join("; ", _table)}");
    }

    /// <summary>What is to be fused.</summary>
    /// <param name="model">The model.</param>
    /// <param name="lists">Names in the order of the calls.</param>
    /// <param name="table"><see cref="FusionPatterns.All"/> or <see cref="FusionPatterns.Training"/>.</param>
    /// <exception cref="ModuleFusionException">All problems of the call.</exception>
    public static IReadOnlyList<FusionGroup> Run(nn.Module model, IReadOnlyList<IReadOnlyList<string>> lists, IReadOnlyList<FusionPattern> table)
    {
        var check = new FusionCheck(model, lists, table);
        return check._problems.Count == 0 ? check._groups : throw new ModuleFusionException([.. check._problems.Distinct()]);
    }

    private bool ForTraining => ReferenceEquals(_table, FusionPatterns.Training);

    private string? WrongMode(FusionGroup group) => ForTraining ? FusionObstacles.Eval(group) : FusionObstacles.Training(group);

    private void Read(IReadOnlyList<string> names)
    {
        if (names is null || names.Count == 0 || names.Any(string.IsNullOrEmpty))
        {
            _problems.Add("a list of modules to fuse is empty or holds an empty name; expected e.g. [\"conv\", \"bn\", \"relu\"]");
            return;
        }

        var label = string.Join(", ", names);
        var modules = names.Select(_names.Find).ToList();
        _problems.AddRange(names.Where((_, i) => modules[i] is null).Select(_names.Missing));
        _named.AddRange(modules.OfType<nn.Module>().Select(m => (label, m)));
        if (modules.Contains(null)) return;
        var types = modules.Select(m => m!.GetType()).ToList();
        if (FusionPatterns.For(types, _table) is { } pattern)
        {
            _groups.Add(new FusionGroup(names, modules!, pattern));
            return;
        }

        if (ForTraining && FusionPatterns.For(types, FusionPatterns.All) is not null)
        {
            _problems.Add($"{label}: ({FusionPattern.NameOf(types)}) cannot be trained as one, only folded after training: call fuse_modules in eval mode, or leave the batch norm out of the list");
            return;
        }

        var ordered = _table.FirstOrDefault(p => p.Types.Count == types.Count && p.Types.All(types.Contains));
        _unknownSequence |= ordered is null;
        _problems.Add($"{label}: ({FusionPattern.NameOf(types)}) is no sequence that can be fused" + (ordered is null ? "" : $"; name them in the order of the calls: {ordered}"));
    }

    /// <summary>After the first list, its modules are gone.</summary>
    private void Twice()
    {
        foreach (var uses in _named.GroupBy(n => n.Module, ReferenceEqualityComparer.Instance).Where(g => g.Count() > 1))
            _problems.Add($"{PathOf((nn.Module)uses.Key!)} ({CSharpNames.Of(uses.Key!.GetType())}) is named {uses.Count()} times, in {string.Join(" and in ", uses.Select(u => $"[{u.Label}]"))}; "
                + "a module can be fused once: give each sequence a module of its own");
    }

    private void Places(FusionGroup group)
    {
        foreach (var slot in _graph.Slots)
            for (var i = 0; i < group.Modules.Count; i++)
                if (ReferenceEquals(slot.Current, group.Modules[i]) && ReplacementPlan.Refusal(slot, group.ReplacementAt(i)) is { } refusal)
                    _problems.Add(refusal);
    }

    private string PathOf(nn.Module module) => _graph.Modules.First(m => ReferenceEquals(m.Module, module)).Path;
}
