namespace TorchQuant.Kernels;

/// <summary>
/// Weights and qparams of one layer and direction of a statically quantized LSTM, PyTorch's cell: every intermediate result has a scale and zero point that calibration chose.
/// With a = quantize(quantize(W_ih x + b_ih) + quantize(W_hh h + b_hh)), its quarters the gates i, f, g, o:
/// c' = quantize(quantize(sigmoid(f) c) + quantize(sigmoid(i) tanh(g))), h' = quantize(sigmoid(o) tanh(c')).
/// </summary>
public sealed class Int8LstmCell
{
    /// <summary>Row blocks of both weights: i, f, g, o.</summary>
    public const int Gates = 4;

    /// <summary>The qparams of a sigmoid, whose results lie in 0..1.</summary>
    public static readonly QParams SigmoidOutput = new(1f / 256, 0);

    /// <summary>The qparams of a tanh, whose results lie in -1..1.</summary>
    public static readonly QParams TanhOutput = new(2f / 256, 128);

    /// <summary>Checks that the parts fit together and keeps them.</summary>
    /// <param name="input">W_ih with b_ih, and the qparams of what it gives.</param>
    /// <param name="hidden">W_hh with b_hh, and the qparams of what it gives.</param>
    /// <param name="keptCell">The qparams of sigmoid(f) c.</param>
    /// <param name="newCell">The qparams of sigmoid(i) tanh(g).</param>
    /// <param name="output">The qparams of the hidden state h'.</param>
    /// <param name="sigmoid">From the qparams of the gates a to <see cref="SigmoidOutput"/>.</param>
    /// <param name="tanh">From the qparams of the gates a to <see cref="TanhOutput"/>.</param>
    /// <param name="cellTanh">From the qparams of the cell state c' to <see cref="TanhOutput"/>.</param>
    /// <exception cref="ArgumentException">A size, a scale or a zero point does not fit.</exception>
    public Int8LstmCell(Int8Product input, Int8Product hidden, QParams keptCell, QParams newCell, QParams output, CodeTable sigmoid, CodeTable tanh, CodeTable cellTanh)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(hidden);
        ArgumentNullException.ThrowIfNull(sigmoid);
        ArgumentNullException.ThrowIfNull(tanh);
        ArgumentNullException.ThrowIfNull(cellTanh);
        int size = hidden.Weights.InFeatures;
        if (hidden.Weights.OutFeatures != Gates * size || input.Weights.OutFeatures != Gates * size)
            throw new ArgumentException(
                $"The weights are [{input.Weights.OutFeatures}, {input.Weights.InFeatures}] and [{hidden.Weights.OutFeatures}, {size}]; expected [4 H, I] and [4 H, H].", nameof(hidden));
        if (sigmoid.Input != tanh.Input || sigmoid.Output != SigmoidOutput || tanh.Output != TanhOutput || cellTanh.Output != TanhOutput)
            throw new ArgumentException("The tables have other qparams than the gates, (1/256, 0) and (2/256, 128).", nameof(sigmoid));
        foreach ((QParams qparams, string name) in new[] { (keptCell, nameof(keptCell)), (newCell, nameof(newCell)), (output, nameof(output)) })
        {
            Argument.IsScale(qparams.Scale, name);
            Argument.IsZeroPoint(qparams.ZeroPoint, byte.MinValue, byte.MaxValue, name);
        }

        (Input, Hidden, KeptCell, NewCell, Output, Sigmoid, Tanh, CellTanh) = (input, hidden, keptCell, newCell, output, sigmoid, tanh, cellTanh);
    }

    /// <summary>W_ih with b_ih.</summary>
    public Int8Product Input { get; }

    /// <summary>W_hh with b_hh.</summary>
    public Int8Product Hidden { get; }

    /// <summary>The qparams of the gates before their nonlinearity.</summary>
    public QParams GateSum => Sigmoid.Input;

    /// <summary>The qparams of sigmoid(f) c.</summary>
    public QParams KeptCell { get; }

    /// <summary>The qparams of sigmoid(i) tanh(g).</summary>
    public QParams NewCell { get; }

    /// <summary>The qparams of the cell state.</summary>
    public QParams Cell => CellTanh.Input;

    /// <summary>The qparams of the hidden state, which is the output.</summary>
    public QParams Output { get; }

    /// <summary>The sigmoid of the gates i, f, o.</summary>
    public CodeTable Sigmoid { get; }

    /// <summary>The tanh of the gate g.</summary>
    public CodeTable Tanh { get; }

    /// <summary>The tanh of the cell state.</summary>
    public CodeTable CellTanh { get; }

    /// <summary>H.</summary>
    public int HiddenSize => Hidden.Weights.InFeatures;

    /// <summary>I.</summary>
    public int InputSize => Input.Weights.InFeatures;
}
