using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>
/// Watches one run of a model: which module is called on the output of which. Later runs find out whether something else uses such an output, too (a raw operator, a module
/// that is not watched): the next module is handed it in secret, everybody else sees a tensor of nonsense in its place. Whatever they compute from it shows.
/// </summary>
internal sealed class FusionTrace : IDisposable
{
    private const double Rounding = 1e-6; // of the sum of absolute values; the same run again gives the same bits, but for machines where threads sum in any order

    private readonly List<CallRecorder> _recorders = [];
    private readonly List<FusionLink> _links = [];
    private readonly Dictionary<TensorIdentity, (CallRecorder By, (double, double) Sums)> _given = [];
    private readonly List<Tensor> _alive = [];
    private DecoyValues? _decoys;

    /// <summary>The recorders, in the order of the modules.</summary>
    public IReadOnlyList<CallRecorder> Recorders => _recorders;

    /// <summary>The calls on another module's output, in order.</summary>
    public IReadOnlyList<FusionLink> Links => _links;

    /// <summary>In the run that is under way, a module other than the one it was for took what is hidden, or saw other inputs than in the run that was watched.</summary>
    public bool Differs { get; private set; }

    /// <summary>In the run that is under way, something wrote into an output before the next module took it.</summary>
    public bool Overwritten { get; private set; }

    public CallRecorder Add(string path, nn.Module<Tensor, Tensor> module)
    {
        var recorder = new CallRecorder(path, module);
        _recorders.Add(recorder);
        return recorder;
    }

    /// <summary>Ends the run that was watched.</summary>
    public void Close()
    {
        foreach (var tensor in _alive) tensor.Dispose();
        _alive.Clear();
        _given.Clear();
    }

    /// <summary>Begins a run in which the outputs of these links are hidden from everything but their takers.</summary>
    public void Hide(IEnumerable<FusionLink> links, DecoyValues decoys)
    {
        (Differs, Overwritten, _decoys) = (false, false, decoys);
        _recorders.ForEach(r => r.Reset());
        foreach (var (from, to) in links) (from.OnlyFor, to.TakesFrom) = (to, from);
    }

    /// <summary>Whether every module was called as often as in the run that was watched, on the same inputs.</summary>
    public bool SameCalls() => !Differs && !Overwritten && _recorders.TrueForAll(r => r.Calls == r.Inputs.Count);

    /// <summary>A call begins.</summary>
    /// <returns>What the module is to compute on.</returns>
    public Tensor Enter(CallRecorder recorder, Tensor input)
    {
        recorder.Calls++;
        if (_decoys is null)
        {
            recorder.Inputs.Add(Sums(input));
            // With other values it is another tensor: something was added in place, such as a residual.
            if (input.numel() > 0 && _given.TryGetValue(TensorIdentity.Of(input), out var given) && Same(given.Sums, recorder.Inputs[^1])) _links.Add(new FusionLink(given.By, recorder));
            return input;
        }

        if (recorder.TakesFrom is { } from)
        {
            Differs |= from.Hidden is null;
            Overwritten |= from.Hidden is not null && !_decoys.Equal(input);
            return from.Hidden ?? input;
        }

        Differs |= recorder.Calls > recorder.Inputs.Count || !Same(Sums(input), recorder.Inputs[recorder.Calls - 1]);
        return input;
    }

    /// <summary>A call ends.</summary>
    /// <param name="recorder">The module.</param>
    /// <param name="input">What it was called on.</param>
    /// <param name="taken">What it computed on.</param>
    /// <param name="output">Its result.</param>
    /// <returns>What the caller is to see.</returns>
    public Tensor Leave(CallRecorder recorder, Tensor input, Tensor taken, Tensor output)
    {
        if (_decoys is null) return Watched(recorder, output);
        if (!ReferenceEquals(taken, input)) output = AsIfOn(input, taken, output);
        if (recorder.TakesFrom is { } from)
        {
            from.Hidden?.Dispose();
            from.Hidden = null;
        }

        if (recorder.OnlyFor is null) return output;
        recorder.Hidden?.Dispose();
        recorder.Hidden = output.DetachFromDisposeScope();
        return _decoys.Like(output);
    }

    public void Dispose()
    {
        Close();
        _recorders.ForEach(r => r.Reset());
    }

    private Tensor Watched(CallRecorder recorder, Tensor output)
    {
        recorder.Axes = output.dim();
        if (RecorderPlacement.IsDropout(recorder.Module))
        {
            using (output) return output.clone();
        }

        if (output.numel() == 0) return output;
        _alive.Add(output.alias().DetachFromDisposeScope()); // or its memory could become another tensor's
        _given[TensorIdentity.Of(output)] = (recorder, Sums(output));
        return output;
    }

    /// <summary>A module that works in place wrote into the hidden tensor; it should have been the one that everybody sees.</summary>
    private static Tensor AsIfOn(Tensor input, Tensor taken, Tensor output)
    {
        if (output.numel() == 0 || TensorIdentity.Of(output).Address != TensorIdentity.Of(taken).Address) return output;
        using (output) input.copy_(output);
        return input.alias();
    }

    private static (double Sum, double Magnitude) Sums(Tensor input)
    {
        using var sum = input.sum(ScalarType.Float64);
        using var magnitude = input.abs();
        using var total = magnitude.sum(ScalarType.Float64);
        return (sum.item<double>(), total.item<double>());
    }

    private static bool Same((double Sum, double Magnitude) a, (double Sum, double Magnitude) b) => Same(a.Sum, b.Sum, b.Magnitude) && Same(a.Magnitude, b.Magnitude, b.Magnitude);

    private static bool Same(double a, double b, double magnitude) => a.Equals(b) || Math.Abs(a - b) <= Rounding * magnitude;
}
