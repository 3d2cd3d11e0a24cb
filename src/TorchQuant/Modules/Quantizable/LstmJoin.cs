using TorchQuant.Kernels;

namespace TorchQuant.Modules;

/// <summary>
/// How the results of one layer and direction get the scales of the tensors that they become part of. As PyTorch's <c>cat</c> and <c>stack</c> do it: the reverse direction gets
/// the scale of the forward one, then the states of each layer that of the first. Null where the scale is the same already.
/// </summary>
/// <param name="HiddenToForward">For the output and the hidden state: to the scale of the forward direction.</param>
/// <param name="HiddenToFirst">For the hidden state, from there to the scale of the first layer.</param>
/// <param name="CellToForward">For the cell state, to the scale of the forward direction.</param>
/// <param name="CellToFirst">For the cell state, from there to the scale of the first layer.</param>
internal sealed record LstmJoin(CodeTable? HiddenToForward, CodeTable? HiddenToFirst, CodeTable? CellToForward, CodeTable? CellToFirst)
{
    /// <summary>The tables of a cell.</summary>
    /// <param name="cell">The cell.</param>
    /// <param name="forward">The forward direction of its layer.</param>
    /// <param name="first">The forward direction of the first layer.</param>
    public static LstmJoin Of(Int8LstmCell cell, Int8LstmCell forward, Int8LstmCell first) => new(
        Between(cell.Output, forward.Output), Between(forward.Output, first.Output), Between(cell.Cell, forward.Cell), Between(forward.Cell, first.Cell));

    /// <summary>Requantizes the output of the direction in place: rows of so many codes, one every <paramref name="stride"/>.</summary>
    public void ApplyToOutput(Span<byte> y, int hidden, int stride)
    {
        if (HiddenToForward is null)
            return;
        for (var at = 0; at < y.Length; at += stride)
            HiddenToForward.Apply(y.Slice(at, hidden), y.Slice(at, hidden));
    }

    /// <summary>Requantizes final states in place.</summary>
    public void ApplyToStates(Span<byte> h, Span<byte> c)
    {
        HiddenToForward?.Apply(h, h);
        HiddenToFirst?.Apply(h, h);
        CellToForward?.Apply(c, c);
        CellToFirst?.Apply(c, c);
    }

    private static CodeTable? Between(QParams from, QParams to) => from == to ? null : CodeTable.Requantize(from, to);
}
