using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>Eval mode for a while. Training flags, buffers and the state of torch's random generator are put back at the end; the latter two also before each run.</summary>
internal sealed class ModelStateGuard : IDisposable
{
    private readonly List<(nn.Module Module, bool Training)> _flags;
    private readonly List<(Tensor Buffer, Tensor Value)> _buffers;
    private readonly Tensor _random = get_rng_state().DetachFromDisposeScope();

    public ModelStateGuard(nn.Module model)
    {
        var modules = ModuleTree.Walk(model);
        _flags = [.. modules.Select(m => (m.Module, m.Module.training))];
        _buffers = [.. from entry in modules
                       from buffer in TorchSharpPrivates.Buffers(entry.Module).Values.Select(b => b.Tensor)
                       where buffer is not null && !buffer.IsInvalid
                       select (buffer, buffer.clone().DetachFromDisposeScope())];
        foreach (var (module, _) in _flags) module.eval();
    }

    /// <summary>Puts buffers and random state back, so that the next run is the same as the first.</summary>
    public void Reset()
    {
        using var off = no_grad();
        foreach (var (buffer, value) in _buffers)
            if (!buffer.IsInvalid) buffer.copy_(value);
        set_rng_state(_random);
    }

    public void Dispose()
    {
        Reset();
        foreach (var (_, value) in _buffers) value.Dispose();
        _random.Dispose();
        // train() sets the children too, and a shared child can come before a parent: again until all are as they were.
        while (_flags.Find(f => f.Module.training != f.Training) is { Module: not null })
            foreach (var (module, training) in _flags)
                if (module.training != training) module.train(training);
    }
}
