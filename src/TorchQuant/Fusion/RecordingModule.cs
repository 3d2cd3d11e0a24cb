using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>Stands in the place of a module while its calls are recorded, so that <c>call</c> and <c>forward</c> are both seen.</summary>
internal sealed class RecordingModule : nn.Module<Tensor, Tensor>
{
    private readonly FusionTrace _trace;
    private readonly CallRecorder _recorder;

    public RecordingModule(FusionTrace trace, CallRecorder recorder) : base(nameof(RecordingModule)) => (_trace, _recorder) = (trace, recorder);

    /// <summary>The module itself. It is no child of this one and not disposed with it.</summary>
    public nn.Module<Tensor, Tensor> Inner => _recorder.Module;

    public override Tensor forward(Tensor input)
    {
        var taken = _trace.Enter(_recorder, input);
        return _trace.Leave(_recorder, input, taken, Inner.forward(taken));
    }
}
