using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>
/// Recorders in a model, put back by Dispose: in the place of every module that a sequence can begin with or hold, and of the dropouts between them. A place that cannot hold
/// one (a field declared <c>Conv2d</c>) keeps its module, whose hooks record: they see <c>call</c>, not <c>forward</c>.
/// </summary>
internal sealed class RecorderPlacement : IDisposable
{
    private readonly nn.Module _root;
    private readonly List<Action> _hooksOff = [];
    private readonly List<RecordingModule> _placed = [];

    public RecorderPlacement(nn.Module root, FusionTrace trace)
    {
        _root = root;
        var graph = new ModuleGraph((_, _) => true);
        graph.Walk(root);
        var slots = graph.Slots.ToLookup(s => s.Current, ReferenceEqualityComparer.Instance);
        var made = new Dictionary<nn.Module, RecordingModule>(ReferenceEqualityComparer.Instance);
        var hooked = new List<CallRecorder>();
        foreach (var (path, module) in graph.Modules.Skip(1))
        {
            if (!FusionPatterns.Types.Contains(module.GetType()) && !IsDropout(module)) continue;
            var recorder = trace.Add(path, (nn.Module<Tensor, Tensor>)module);
            if (slots[module].All(s => ReplacementPlan.Refusal(s, typeof(RecordingModule)) is null)) made.Add(module, new RecordingModule(trace, recorder));
            else hooked.Add(recorder);
        }

        ModuleTree.Replace(root, (_, module) => made.GetValueOrDefault(module));
        _placed.AddRange(made.Values);
        foreach (var recorder in hooked) Hook(trace, recorder);
    }

    /// <summary>In eval mode a dropout hands its input on: to find sequences across it would be wrong for training.</summary>
    public static bool IsDropout(nn.Module module) => module is Dropout or Dropout1d or Dropout2d or Dropout3d or AlphaDropout or FeatureAlphaDropout;

    public void Dispose()
    {
        _hooksOff.ForEach(off => off());
        ModuleTree.Replace(_root, (_, module) => (module as RecordingModule)?.Inner);
        _placed.ForEach(p => p.Dispose());
    }

    /// <summary>Next to forward: after the user's hooks that run before it, before those that run after it.</summary>
    private void Hook(FusionTrace trace, CallRecorder recorder)
    {
        Tensor? input = null, taken = null;
        _hooksOff.Add(ModuleHooks.Innermost(recorder.Module,
            (_, x) => taken = trace.Enter(recorder, input = x),
            (_, _, y) => trace.Leave(recorder, input!, taken!, y)));
    }
}
