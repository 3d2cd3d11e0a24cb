using TorchQuant.Kernels;
using TorchQuant.Modules.Recurrent;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// An LSTM cell made of parts that static quantization can observe and convert, PyTorch's <c>torch.ao.nn.quantizable.LSTMCell</c>: the Linear layers <c>igates</c> and <c>hgates</c> with
/// the rows i, f, g, o, the activations, and a <see cref="FloatFunctional"/> for each operation between. Float, it computes what <see cref="LSTMCell"/> computes; after
/// <c>convert</c> its parts, and so the cell, work on quint8 tensors.
/// </summary>
/// <remarks>i, f, o = sigmoid, g = tanh of the quarters of gates(igates(x) + hgates(h)); c' = fgate_cx(f c) + igate_cgate(i g); h' = ogate_cy(o tanh(c')).</remarks>
public sealed class QuantizableLSTMCell : nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor)>
{
    private const int Gates = 4;

    private static readonly QuantizedOutput s_tanhOutput = new(Int8LstmCell.TanhOutput);

    [ComponentName(Name = nameof(igates))]
    private readonly nn.Module<Tensor, Tensor> _igates;

    [ComponentName(Name = nameof(hgates))]
    private readonly nn.Module<Tensor, Tensor> _hgates;

    [ComponentName(Name = nameof(gates))]
    private readonly FloatFunctional _gates = new();

    [ComponentName(Name = "input_gate")]
    private readonly nn.Module<Tensor, Tensor> _inputGate = nn.Sigmoid();

    [ComponentName(Name = "forget_gate")]
    private readonly nn.Module<Tensor, Tensor> _forgetGate = nn.Sigmoid();

    [ComponentName(Name = "cell_gate")]
    private readonly nn.Module<Tensor, Tensor> _cellGate = nn.Tanh();

    [ComponentName(Name = "output_gate")]
    private readonly nn.Module<Tensor, Tensor> _outputGate = nn.Sigmoid();

    [ComponentName(Name = nameof(fgate_cx))]
    private readonly FloatFunctional _fgateCx = new();

    [ComponentName(Name = nameof(igate_cgate))]
    private readonly FloatFunctional _igateCgate = new();

    [ComponentName(Name = nameof(fgate_cx_igate_cgate))]
    private readonly FloatFunctional _fgateCxIgateCgate = new();

    [ComponentName(Name = nameof(ogate_cy))]
    private readonly FloatFunctional _ogateCy = new();

    private readonly StaticRecurrentInput _check;

    /// <summary>Every code's by one function: libtorch's tanh of a quint8 tensor works out the last of its codes otherwise than the others, so that these can differ by one next to ties.</summary>
    private readonly CodeTableCache _cellTanh = new(static x => x.tanh());

    /// <summary>A cell with first weights as <c>nn.Linear</c> draws them.</summary>
    /// <param name="input_size">The size of the input.</param>
    /// <param name="hidden_size">The size of the states.</param>
    /// <param name="bias">Whether there are biases b_ih and b_hh.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public QuantizableLSTMCell(long input_size, long hidden_size, bool bias = true)
        : this(nn.Linear(FloatParts.Size(input_size), Gates * FloatParts.Size(hidden_size), bias), nn.Linear(hidden_size, Gates * hidden_size, bias))
    {
    }

    /// <summary>Takes over both layers.</summary>
    internal QuantizableLSTMCell(Linear igates, Linear hgates) : base(nameof(QuantizableLSTMCell))
    {
        (_igates, _hgates) = (igates, hgates);
        Settings = new RecurrentSettings(Gates, checked((int)igates.in_features), checked((int)hgates.in_features), igates.bias is not null);
        _check = new StaticRecurrentInput(GetName, Settings);
        RegisterComponents();
    }

    /// <summary>Its sizes.</summary>
    internal RecurrentSettings Settings { get; }

    /// <summary>W_ih x + b_ih.</summary>
    public nn.Module<Tensor, Tensor> igates => _igates;

    /// <summary>W_hh h + b_hh.</summary>
    public nn.Module<Tensor, Tensor> hgates => _hgates;

    /// <summary>The sum of both.</summary>
    public FloatFunctional gates => _gates;

    /// <summary>f c.</summary>
    public FloatFunctional fgate_cx => _fgateCx;

    /// <summary>i g.</summary>
    public FloatFunctional igate_cgate => _igateCgate;

    /// <summary>The new cell state.</summary>
    public FloatFunctional fgate_cx_igate_cgate => _fgateCxIgateCgate;

    /// <summary>The new hidden state.</summary>
    public FloatFunctional ogate_cy => _ogateCy;

    /// <summary>A cell with copies of the weights of a float one, and with its qconfig if it has one.</summary>
    /// <param name="module">The float cell; it is not changed.</param>
    public static QuantizableLSTMCell from_float(LSTMCell module)
    {
        ArgumentNullException.ThrowIfNull(module);
        return FloatParts.TakingOver(module, Of(FloatRecurrent.Parameters(module), RecurrentNames.Cell));
    }

    /// <summary>One step.</summary>
    /// <param name="input">[batch, input_size] or [input_size]: float, or quint8 once the parts are converted.</param>
    /// <param name="h0_c0">The states before, each [batch, hidden_size] or [hidden_size], float or quint8 as the input is; zeros if null (of scale 1 and zero point 0 if quint8).</param>
    /// <returns>The hidden and the cell state afterwards.</returns>
    /// <exception cref="ArgumentException">A shape is wrong, or one of input and states is float and another quantized.</exception>
    public override (Tensor, Tensor) forward(Tensor input, (Tensor, Tensor)? h0_c0 = null)
    {
        _check.Step(input);
        using var scope = NewDisposeScope();
        var shape = input.shape;
        shape[^1] = Settings.HiddenSize;
        var (h, c) = h0_c0 ?? (StaticRecurrentInput.Zeros(input, shape), StaticRecurrentInput.Zeros(input, shape));
        _check.State(input, h, "h_0", shape);
        _check.State(input, c, "c_0", shape);
        var (hidden, cell) = Step(InputGates(input), h, c);
        return scope.MoveToOuter(hidden, cell);
    }

    /// <summary>As <see cref="forward"/>, with hooks.</summary>
    /// <inheritdoc cref="forward"/>
    public new (Tensor, Tensor) call(Tensor input, (Tensor, Tensor)? h0_c0 = null) => base.call(input, h0_c0);

    /// <summary>As PyTorch prints it: <c>QuantizableLSTMCell(13, 9)</c>.</summary>
    public override string ToString() => $"{GetName()}({Settings})";

    /// <summary>A cell with copies of the weights of that name.</summary>
    internal static QuantizableLSTMCell Of(IReadOnlyDictionary<string, Parameter> weights, RecurrentNames names) => new(
        FloatParts.Linear(weights[names.InputWeight], weights.GetValueOrDefault(names.InputBias)),
        FloatParts.Linear(weights[names.HiddenWeight], weights.GetValueOrDefault(names.HiddenBias)));

    /// <summary>W_ih x + b_ih of one step or of several.</summary>
    internal Tensor InputGates(Tensor input) => _igates.call(input);

    /// <summary>From the input's part of the gates, [batch, 4 hidden], and the states before to the states afterwards.</summary>
    internal (Tensor H, Tensor C) Step(Tensor inputGates, Tensor h, Tensor c)
    {
        using var hiddenGates = _hgates.call(h);
        using var sum = _gates.add(inputGates, hiddenGates);
        var quarters = sum.chunk(Gates, -1);
        using Tensor i0 = quarters[0], f0 = quarters[1], g0 = quarters[2], o0 = quarters[3];
        using var i = _inputGate.call(i0);
        using var f = _forgetGate.call(f0);
        using var g = _cellGate.call(g0);
        using var o = _outputGate.call(o0);
        using var kept = _fgateCx.mul(f, c);
        using var added = _igateCgate.mul(i, g);
        var cell = _fgateCxIgateCgate.add(kept, added);
        using var squashed = cell.is_quantized() ? _cellTanh.Apply(cell, TensorQParams.Of(cell), s_tanhOutput) : cell.tanh();
        return (_ogateCy.mul(o, squashed), cell);
    }

    /// <summary>Converts the parts that have weights or qparams of their own; the activations have PyTorch's fixed ones.</summary>
    internal void Convert(string name, PartStates parts)
    {
        parts.Add<QuantizedLinear>(PackedState.Join(name, nameof(igates)), _igates);
        parts.Add<QuantizedLinear>(PackedState.Join(name, nameof(hgates)), _hgates);
        parts.Add<QFunctional>(PackedState.Join(name, nameof(gates)), _gates);
        parts.Add<QFunctional>(PackedState.Join(name, nameof(fgate_cx)), _fgateCx);
        parts.Add<QFunctional>(PackedState.Join(name, nameof(igate_cgate)), _igateCgate);
        parts.Add<QFunctional>(PackedState.Join(name, nameof(fgate_cx_igate_cgate)), _fgateCxIgateCgate);
        parts.Add<QFunctional>(PackedState.Join(name, nameof(ogate_cy)), _ogateCy);
    }
}
