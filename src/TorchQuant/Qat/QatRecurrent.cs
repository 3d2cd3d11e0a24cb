using TorchQuant.Modules.Recurrent;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// What the recurrent modules of quantization-aware training share. They compute step by step what <see cref="DynamicQuantizedRecurrent{TState, TResult}"/> computes after conversion: every matrix on the grid of its own
/// values, the input of a layer on that of its whole range, the hidden state of each step on that of the step; gates and states in float32. Gradients pass straight through.
/// </summary>
/// <typeparam name="TState">The initial state.</typeparam>
/// <typeparam name="TResult">What forward returns.</typeparam>
public abstract class QatRecurrent<TState, TResult> : nn.Module<Tensor, TState, TResult>, IQatRecurrent
{
    [ComponentName(Name = nameof(module))]
    private readonly nn.Module _module;

    [ComponentName(Name = nameof(fake_quant))]
    private readonly DynamicFakeQuantize _fakeQuant;

    private readonly RecurrentSettings _settings;
    private readonly double _dropout;

    private protected QatRecurrent(string name, nn.Module module, RecurrentSettings settings, QConfig qconfig) : base(name)
    {
        (_module, _settings, _fakeQuant) = (module, settings, new DynamicFakeQuantize(qconfig));
        _dropout = RecurrentProbe.Of(module).Dropout;
        RegisterComponents();
        train(module.training);
    }

    /// <summary>The float module.</summary>
    public nn.Module module => _module;

    /// <summary>Moves weights, inputs and hidden states to their grids.</summary>
    public DynamicFakeQuantize fake_quant => _fakeQuant;

    /// <summary>Always null: the output is float.</summary>
    public ObserverBase? activation_post_process => null;

    /// <inheritdoc/>
    CalibrationRecord? IObserved.Calibration { get; set; }

    private (string, nn.Module?)[] Parts => [(nameof(fake_quant), _fakeQuant)];

    /// <summary>The parameters of the float module, under the names that they have there.</summary>
    /// <param name="recurse">Whether to look into the modules in it: there are none outside them.</param>
    public override IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true) => recurse ? StateInPlace.Parameters(_module, Parts) : [];

    /// <summary>The switches of the fake quantizer.</summary>
    /// <param name="recurse">Whether to look into the modules in it: there are none outside them.</param>
    /// <param name="include_nonpersistent">Whether to include those that are not saved.</param>
    public override IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true) =>
        recurse ? StateInPlace.Buffers(include_nonpersistent, _module, Parts) : [];

    /// <summary>Parameters and persistent buffers by name, without the name of the float module between.</summary>
    /// <param name="destination">Where to add them; a new dictionary if null.</param>
    /// <param name="prefix">What comes before the names.</param>
    public override Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null) => StateInPlace.State(destination, prefix, _module, Parts);

    /// <inheritdoc/>
    void IObserved.Attach(ObserverBase? observer, CalibrationRecord record) => ((IObserved)this).Calibration = record;

    /// <inheritdoc/>
    nn.Module IQatRecurrent.ToDynamic(string path) => ToDynamic(path);

    /// <summary>The sizes and the fake quantizer.</summary>
    public override string ToString() => $"{GetName()}(\n  {_settings}\n  (fake_quant): {_fakeQuant}\n)";

    /// <summary>The dynamically quantized module.</summary>
    private protected abstract nn.Module ToDynamic(string path);

    /// <summary>One step of a layer.</summary>
    /// <param name="fromInput">W_ih x + b_ih, [batch, gates * hidden].</param>
    /// <param name="fromHidden">W_hh h + b_hh, as large.</param>
    /// <param name="hidden">The hidden state before.</param>
    /// <param name="cell">The cell state before, where there is one.</param>
    private protected abstract (Tensor Hidden, Tensor? Cell) Step(Tensor fromInput, Tensor fromHidden, Tensor hidden, Tensor? cell);

    /// <summary>Runs the sequence; the results are in the scope around, the rest is disposed.</summary>
    private protected (Tensor Output, Tensor Hidden, Tensor? Cell) Run(Tensor input, Tensor? h0, Tensor? c0, bool hasCell)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.dim() != 3 || input.shape[2] != _settings.InputSize)
            throw new ArgumentException(
                $"{((IObserved)this).Calibration?.Path ?? GetName()} ({GetName()}): its input has the shape [{string.Join(", ", input.shape)}], expected [{(_settings.BatchFirst ? "batch, sequence" : "sequence, batch")}, {_settings.InputSize}].", nameof(input));
        using var scope = NewDisposeScope();
        var parameters = FloatRecurrent.Parameters(_module);
        var x = _settings.BatchFirst ? input.transpose(0, 1) : input;
        var (hidden, cells) = (new List<Tensor>(), new List<Tensor>());
        for (var layer = 0; layer < _settings.NumLayers; layer++)
        {
            var onGrid = _fakeQuant.forward(x);
            var outputs = new List<Tensor>();
            for (var direction = 0; direction < _settings.Directions; direction++)
            {
                var index = (layer * _settings.Directions) + direction;
                var h = h0 is null ? zeros(x.shape[1], _settings.HiddenSize) : h0[index];
                var c = !hasCell ? null : c0 is null ? zeros(x.shape[1], _settings.HiddenSize) : c0[index];
                (var output, h, c) = Sequence(onGrid, h, c, parameters, new RecurrentNames(layer, direction == 1), backwards: direction == 1);
                outputs.Add(output);
                hidden.Add(h);
                if (c is not null)
                    cells.Add(c);
            }

            x = outputs.Count == 1 ? outputs[0] : cat(outputs, 2);
            if (training && _dropout > 0 && layer < _settings.NumLayers - 1)
                x = nn.functional.dropout(x, _dropout, training: true);
        }

        var result = _settings.BatchFirst ? x.transpose(0, 1) : x;
        return (result.MoveToOuterDisposeScope(), stack(hidden).MoveToOuterDisposeScope(), hasCell ? stack(cells).MoveToOuterDisposeScope() : null);
    }

    private (Tensor Output, Tensor Hidden, Tensor? Cell) Sequence(Tensor input, Tensor h, Tensor? c, Dictionary<string, Parameter> parameters, RecurrentNames names, bool backwards)
    {
        var inputWeight = _fakeQuant.Weight(parameters[names.InputWeight]);
        var hiddenWeight = _fakeQuant.Weight(parameters[names.HiddenWeight]);
        var hiddenBias = parameters.GetValueOrDefault(names.HiddenBias);
        var fromInput = nn.functional.linear(input, inputWeight, parameters.GetValueOrDefault(names.InputBias));
        var outputs = new Tensor[input.shape[0]];
        for (var step = 0; step < outputs.Length; step++)
        {
            var time = backwards ? outputs.Length - 1 - step : step;
            var fromHidden = nn.functional.linear(_fakeQuant.forward(h), hiddenWeight, hiddenBias);
            (h, c) = Step(fromInput[time], fromHidden, h, c);
            outputs[time] = h;
        }

        return (stack(outputs), h, c);
    }
}
