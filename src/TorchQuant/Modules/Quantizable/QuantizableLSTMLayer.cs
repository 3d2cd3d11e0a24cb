using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>One layer of a <see cref="QuantizableLSTM"/>: one direction or two.</summary>
internal sealed class QuantizableLSTMLayer : nn.Module
{
    [ComponentName(Name = "layer_fw")]
    private readonly QuantizableLSTMDirection _forward;

    [ComponentName(Name = "layer_bw")]
    private readonly QuantizableLSTMDirection? _backward;

    /// <summary>Takes over the cells; the second is null where there is one direction.</summary>
    public QuantizableLSTMLayer(QuantizableLSTMCell forward, QuantizableLSTMCell? backward) : base(nameof(QuantizableLSTMLayer))
    {
        _forward = new QuantizableLSTMDirection(forward);
        _backward = backward is null ? null : new QuantizableLSTMDirection(backward);
        RegisterComponents();
    }

    /// <summary>The cell of each direction.</summary>
    public IEnumerable<QuantizableLSTMCell> Cells => _backward is null ? [_forward.Cell] : [_forward.Cell, _backward.Cell];

    /// <summary>Runs a sequence.</summary>
    /// <param name="x">[steps, batch, features].</param>
    /// <param name="h">[directions, batch, hidden]; borrowed.</param>
    /// <param name="c">[directions, batch, hidden]; borrowed.</param>
    /// <returns>[steps, batch, directions * hidden], and the final states, [directions, batch, hidden]; where quantized with the scale of the forward direction.</returns>
    public (Tensor Y, Tensor H, Tensor C) Run(Tensor x, Tensor h, Tensor c)
    {
        using var scope = NewDisposeScope();
        var forward = _forward.Run(x, h.select(0, 0), c.select(0, 0), reverse: false);
        if (_backward is null)
            return scope.MoveToOuter(forward.Y, forward.H.unsqueeze(0), forward.C.unsqueeze(0));
        var backward = _backward.Run(x, h.select(0, 1), c.select(0, 1), reverse: true);
        return scope.MoveToOuter(
            SameScale.Cat([forward.Y, backward.Y], -1), SameScale.Cat([forward.H.unsqueeze(0), backward.H.unsqueeze(0)], 0), SameScale.Cat([forward.C.unsqueeze(0), backward.C.unsqueeze(0)], 0));
    }
}
