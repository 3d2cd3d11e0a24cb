using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>
/// Finds the sequences of a model that can be fused, by running it in eval mode: once as it is, once watched (<see cref="FusionTrace"/>), and then with the outputs between the
/// modules of all sequences hidden, to learn whether they are used elsewhere. Where they are, the set is halved until the guilty ones are found. At last a fused copy is run.
/// </summary>
internal sealed class FusionSearch : IDisposable
{
    private const string ByList = "or name the sequences in lists: [[\"conv\", \"bn\", \"relu\"], ...]";

    private readonly FusionTrace _trace = new();
    private readonly Dictionary<FusionLink, string> _refused = [];
    private readonly ModelStateGuard _guard;
    private readonly RunOutputs _expected;
    private readonly Func<object?> _run;

    private FusionSearch(nn.Module traced, Func<object?> run)
    {
        _run = run;
        _guard = new ModelStateGuard(traced);
        try
        {
            _expected = new RunOutputs(run);
        }
        catch
        {
            _guard.Dispose();
            throw;
        }
    }

    /// <summary>Runs a copy of the model, or, where it is to be changed anyway and cannot be copied, the model itself.</summary>
    /// <param name="model">The model.</param>
    /// <param name="run">Runs it on the example.</param>
    /// <param name="table"><see cref="FusionPatterns.All"/> or <see cref="FusionPatterns.Training"/>.</param>
    /// <param name="inplace">Whether the model itself is to be changed.</param>
    /// <returns>What can be fused and what cannot. The model is as it was.</returns>
    public static FusionReport Run<T>(T model, Func<T, object?> run, IReadOnlyList<FusionPattern> table, bool inplace) where T : nn.Module
    {
        OnCpu(model);
        using var off = no_grad();
        T traced;
        try
        {
            traced = ModuleTree.Copy(model);
        }
        catch (ModuleCopyException) when (inplace)
        {
            traced = model;
        }

        try
        {
            using var search = new FusionSearch(traced, () => run(traced));
            search.Watch(traced);
            var found = new FusionSelection(model, search._trace.Recorders, search._trace.Links, search._refused, table).Report();
            search._guard.Reset();
            return ReferenceEquals(traced, model) ? found : new FusionProof<T>(model, run, search._expected, table).Check(found);
        }
        finally
        {
            if (!ReferenceEquals(traced, model)) traced.Dispose();
        }
    }

    public void Dispose()
    {
        _trace.Dispose();
        _expected.Dispose();
        _guard.Dispose();
    }

    private static void OnCpu(nn.Module model)
    {
        List<string> elsewhere = [.. from entry in ModuleTree.Walk(model)
                                     from named in entry.Module.named_parameters(false)
                                     where named.parameter.device_type != DeviceType.CPU
                                     select $"{(entry.Path.Length == 0 ? named.name : $"{entry.Path}.{named.name}")} is on {named.parameter.device}; a model is watched on the CPU: call model.cpu() first, {ByList}"];
        if (elsewhere.Count > 0) throw new ModuleFusionException(elsewhere);
    }

    private void Watch(nn.Module traced)
    {
        if (_expected.Elements == 0)
            throw new ArgumentException("The run of the model returned no tensor with elements, so nothing can be compared; run the model on an example that is not empty and return its outputs.");
        using var placement = new RecorderPlacement(traced, _trace);
        _guard.Reset();
        try
        {
            using var outputs = new RunOutputs(_run);
            if (!outputs.Equal(_expected))
                throw new ModuleFusionException([$"the model gives other outputs on the same example: it keeps values between calls, draws random numbers that torch.manual_seed does not set, or looks at the types of its modules; mend that, {ByList}"]);
        }
        catch (Exception e) when (e is not (ModuleFusionException or OutOfMemoryException or OperationCanceledException))
        {
            throw new ModuleFusionException([$"the model runs, but not with recorders in the place of its modules ({e.GetType().Name}: {e.Message}): it casts a module to its type, or keeps values between calls; mend that, {ByList}"], e);
        }

        _trace.Close();
        Refuse();
        Test([], [.. _trace.Links.Distinct().Where(l => !_refused.ContainsKey(l))]);
    }

    /// <summary>What the watched run alone tells.</summary>
    private void Refuse()
    {
        foreach (var link in _trace.Links.Distinct())
        {
            var (from, to) = link;
            var takers = _trace.Links.Where(l => l.From == from).Select(l => l.To).Distinct().ToList();
            if (((CallRecorder[])[from, to]).FirstOrDefault(r => r.Calls > 1) is { } often)
                _refused[link] = $"{often} is called {often.Calls} times; give each sequence a {CSharpNames.Of(often.Module.GetType())} of its own";
            else if (takers.Count > 1)
                _refused[link] = $"the output of {from} goes to {string.Join(" and ", takers)}";
        }
    }

    /// <summary>Of the open links, those that hold together with the sure ones; the others are refused.</summary>
    private List<FusionLink> Test(List<FusionLink> sure, List<FusionLink> open)
    {
        if (open.Count == 0) return sure;
        List<FusionLink> together = [.. sure, .. open];
        if (DecoyValues.Both.All(decoys => Holds(together, decoys))) return together;
        if (open.Count > 1) return Test(Test(sure, open[..(open.Count / 2)]), open[(open.Count / 2)..]);
        var (from, to) = open[0];
        _refused[open[0]] = _trace.Overwritten ? $"the output of {from} is changed in place before {to} takes it" : $"the output of {from} is used elsewhere too, not by {to} alone";
        return sure;
    }

    private bool Holds(List<FusionLink> links, DecoyValues decoys)
    {
        _trace.Hide(links, decoys);
        _guard.Reset();
        try
        {
            using var outputs = new RunOutputs(_run);
            return outputs.Equal(_expected) && _trace.SameCalls();
        }
        catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException))
        {
            return false; // a decoy was used: an index out of range, a check for NaN
        }
    }
}
