using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>One layer of a <see cref="QuantizableLSTM"/> in one direction: its cell, step after step.</summary>
internal sealed class QuantizableLSTMDirection : nn.Module
{
    [ComponentName(Name = "cell")]
    private readonly QuantizableLSTMCell _cell;

    /// <summary>Takes over the cell.</summary>
    public QuantizableLSTMDirection(QuantizableLSTMCell cell) : base(nameof(QuantizableLSTMDirection))
    {
        _cell = cell;
        RegisterComponents();
    }

    /// <summary>The weights and the parts.</summary>
    public QuantizableLSTMCell Cell => _cell;

    /// <summary>Runs a sequence.</summary>
    /// <param name="x">[steps, batch, features], at least one step.</param>
    /// <param name="h">[batch, hidden]; borrowed.</param>
    /// <param name="c">[batch, hidden]; borrowed.</param>
    /// <param name="reverse">From the last step to the first.</param>
    /// <returns>[steps, batch, hidden], and the final states.</returns>
    public (Tensor Y, Tensor H, Tensor C) Run(Tensor x, Tensor h, Tensor c, bool reverse)
    {
        using var scope = NewDisposeScope();
        // Float, the observer of the product is to see one step at a time, as PyTorch's does; the codes do not depend on it.
        using var ofAllSteps = x.is_quantized() ? _cell.InputGates(x) : null;
        var outputs = new Tensor[x.shape[0]];
        for (var i = 0; i < outputs.Length; i++)
        {
            var step = reverse ? outputs.Length - 1 - i : i;
            using var gates = ofAllSteps?.select(0, step) ?? InputGates(x, step);
            var before = c;
            (h, c) = _cell.Step(gates, h, c);
            outputs[step] = h;
            if (i > 0)
                before.Dispose();
        }

        return scope.MoveToOuter(stack(outputs), h, c);
    }

    private Tensor InputGates(Tensor x, int step)
    {
        using var row = x.select(0, step);
        return _cell.InputGates(row);
    }
}
