using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Quantizable;

/// <summary>A model around an LSTM: quint8 goes in, and what comes out of it is dequantized, output and states one after the other.</summary>
internal sealed class LstmHolder : nn.Module<Tensor, (Tensor, Tensor)?, Tensor>
{
    private readonly QuantStub quant = new();
    private readonly QuantStub quant_h = new();
    private readonly QuantStub quant_c = new();
    private readonly nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)> rnn;
    private readonly DeQuantStub dequant = new();

    public LstmHolder(nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)> rnn) : base(nameof(LstmHolder))
    {
        this.rnn = rnn;
        RegisterComponents();
        eval();
    }

    public nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)> Rnn => rnn;

    /// <summary>The quantized input and states as they reach the LSTM.</summary>
    public (Tensor Input, (Tensor, Tensor)? State) Inner(Tensor input, (Tensor, Tensor)? state) =>
        (quant.call(input), state is { } s ? (quant_h.call(s.Item1), quant_c.call(s.Item2)) : null);

    public override Tensor forward(Tensor input, (Tensor, Tensor)? state)
    {
        using var scope = NewDisposeScope();
        var (x, s) = Inner(input, state);
        var (y, h, c) = rnn.call(x, s);
        return scope.MoveToOuter(cat([dequant.call(y).flatten(), dequant.call(h).flatten(), dequant.call(c).flatten()]));
    }
}
