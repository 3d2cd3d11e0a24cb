using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// The calibration of one prepared model: what <c>prepare</c> decided, where one forward pass of the model ends and the next begins, an example of its input, and batch norms that directly
/// follow a layer with weights. Hooks on the model tell it; they run in <c>call</c>, not in <c>forward</c>.
/// </summary>
/// <param name="decisions">The qconfig of every module of the float model by dotted path; null leaves float.</param>
/// <param name="mapping">What convert will replace.</param>
internal sealed class CalibrationRun(IReadOnlyDictionary<string, QConfig?> decisions, StaticModuleMapping mapping) : ICopiedWithModel
{
    private long _pass;
    private bool _inCall;
    private string? _firstPath;
    private ExampleInput? _pending;

    /// <summary>The qconfig that <c>prepare</c> decided for every module of the float model, by dotted path.</summary>
    public IReadOnlyDictionary<string, QConfig?> Decisions { get; } = decisions;

    /// <summary>What convert will replace.</summary>
    public StaticModuleMapping Mapping { get; } = mapping;

    /// <summary>The model's input in the first call that came to its end; null if there was none.</summary>
    public ExampleInput? Example { get; private set; }

    /// <summary>Batch norms by path, each with the path of the convolution or Linear whose output they were given.</summary>
    public Dictionary<string, string> Unfused { get; } = new(StringComparer.Ordinal);

    /// <summary>A call of the model begins. The hook of that name.</summary>
    public void Begin(nn.Module model) => (_pass, _inCall) = (_pass + 1, true);

    /// <summary>A call of the model ends. The hook of that name.</summary>
    public void End(nn.Module model)
    {
        _inCall = false;
        Example ??= _pending;
        _pending = null;
    }

    /// <summary>The input of the call that has begun.</summary>
    public void Input(params Tensor?[] inputs)
    {
        if (Example is null)
            _pending = ExampleInput.Of(inputs);
    }

    /// <summary>The number of the forward pass in which a module is called. Outside of <c>call</c> a pass begins wherever the module that was called first is called again.</summary>
    public long PassOf(CalibrationRecord module)
    {
        if (_inCall)
            return _pass;
        _firstPath ??= module.Path;
        return _firstPath == module.Path ? ++_pass : _pass;
    }

    /// <summary>Adds what the calibration of a copy of the model saw.</summary>
    public void Merge(CalibrationRun shard)
    {
        Example ??= shard.Example;
        foreach (var (norm, layer) in shard.Unfused)
            Unfused[norm] = layer;
    }
}
