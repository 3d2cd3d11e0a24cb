using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Decides what is replaced where, refuses everything that cannot be done at once, and only then changes the model.</summary>
internal sealed class ReplacementPlan
{
    private readonly Dictionary<nn.Module, (string Path, nn.Module New)> _decisions = new(ReferenceEqualityComparer.Instance);
    private readonly List<string> _refusals = [];
    private readonly List<Exception> _causes = [];
    private readonly ModuleGraph _graph;

    /// <summary>Walks the model and asks for the replacements. The model is not changed.</summary>
    public ReplacementPlan(nn.Module root, Func<string, nn.Module, nn.Module?> replacement)
    {
        TorchSharpPrivates.EnsureSupported();
        _graph = new ModuleGraph((path, module) =>
        {
            try
            {
                var made = replacement(path, module);
                if (made is null || ReferenceEquals(made, module)) return true;
                _decisions.Add(module, (path, made));
            }
            catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException))
            {
                _refusals.Add(e.Message.StartsWith(path, StringComparison.Ordinal) ? e.Message : $"{path}: {e.Message}");
                _causes.Add(e);
            }

            return false;
        });
        try
        {
            _graph.Walk(root);
        }
        catch
        {
            DisposeReplacements();
            throw;
        }
    }

    /// <summary>Leaves modules as they are where the model cannot hold what was made for them.</summary>
    /// <param name="isOptional">Whether a replacement may be left out; it is disposed.</param>
    public void DropUnplaceable(Func<nn.Module, bool> isOptional)
    {
        foreach (var slot in _graph.Slots)
        {
            if (!_decisions.TryGetValue(slot.Current, out var decision) || !isOptional(decision.New) || Refusal(slot, decision.New.GetType()) is null) continue;
            _decisions.Remove(slot.Current);
            decision.New.Dispose();
        }
    }

    /// <summary>Replaces everything, or throws with every refusal listed and nothing changed.</summary>
    public IReadOnlyList<ModuleReplacement> Commit(bool hookFallback)
    {
        var steps = new List<Step>();
        var hooked = new HashSet<nn.Module>(ReferenceEqualityComparer.Instance);
        foreach (var slot in _graph.Slots)
        {
            if (!_decisions.TryGetValue(slot.Current, out var decision)) continue;
            if (Refusal(slot, decision.New.GetType()) is not { } refusal) steps.Add(new Step(() => slot.Set!(decision.New), () => slot.Set!(slot.Current)));
            else if (!hookFallback || !HookRedirect.CanAttach(slot.Current, decision.New)) _refusals.Add(refusal);
            else if (hooked.Add(slot.Current)) steps.Add(new Step(() => HookRedirect.Attach(slot.Current, decision.New), () => HookRedirect.Remove(slot.Current)));
        }

        if (_refusals.Count > 0)
        {
            DisposeReplacements();
            throw new ModuleReplacementException([.. _refusals.Distinct()], _causes.Count == 0 ? null : _causes.Count == 1 ? _causes[0] : new AggregateException(_causes));
        }

        foreach (var (old, (_, made)) in _decisions)
        {
            made.train(old.training);
            if (hooked.Contains(old) || !Contains(made, old)) ModuleHooks.Carry(old, made);
        }

        Run(steps);
        return [.. _decisions.Select(d => new ModuleReplacement(d.Value.Path, d.Key, d.Value.New, hooked.Contains(d.Key)))];
    }

    private void Run(List<Step> steps)
    {
        var done = 0;
        try
        {
            for (; done < steps.Count; done++) steps[done].Do();
        }
        catch
        {
            while (--done >= 0) steps[done].Undo();
            DisposeReplacements();
            throw;
        }
    }

    /// <summary>Why a module of that type cannot be put into the place, and the mend; null if it can.</summary>
    public static string? Refusal(Slot slot, Type made)
    {
        if (slot.Set is not null && slot.Declared.IsAssignableFrom(made)) return null;
        var wanted = CSharpNames.CallableBase(slot.Current.GetType());
        var current = CSharpNames.Of(slot.Current.GetType());
        var name = CSharpNames.Of(made);
        if (slot.Obstacle is { } obstacle) return $"{slot.Path}: {slot.Where} holds a {current} that {obstacle}, so that {name} can take its place";
        if (!wanted.IsAssignableFrom(made)) return $"{slot.Path}: {name} is no {CSharpNames.Of(wanted)}, as {current} is; derive it from that";
        return $"{slot.Path}: {slot.Where} is declared {CSharpNames.Of(slot.Container)} and cannot hold {name}; declare it {CSharpNames.Of(slot.Container, slot.Declared, wanted)}";
    }

    /// <summary>Disposes what was made, except what holds modules or tensors of the model itself: those are the user's.</summary>
    private void DisposeReplacements()
    {
        if (_decisions.Count == 0) return;
        var modules = new HashSet<object>(_graph.Modules.Select(m => (object)m.Module), ReferenceEqualityComparer.Instance);
        var tensors = _graph.Modules.SelectMany(m => Tensors(m.Module)).ToHashSet();
        foreach (var (_, made) in _decisions.Values)
        {
            var all = made.modules().Prepend(made).ToList();
            if (!all.Any(modules.Contains) && !all.SelectMany(Tensors).Any(tensors.Contains)) made.Dispose();
        }
    }

    private static IEnumerable<IntPtr> Tensors(nn.Module module)
        => TorchSharpPrivates.Parameters(module).Values.Cast<Tensor>().Concat(TorchSharpPrivates.Buffers(module).Values.Select(b => b.Tensor)).Where(t => !t.IsInvalid).Select(t => t.Handle);

    private static bool Contains(nn.Module outer, nn.Module inner) => outer.modules().Any(m => ReferenceEquals(m, inner));

    private sealed record Step(Action Do, Action Undo);
}
