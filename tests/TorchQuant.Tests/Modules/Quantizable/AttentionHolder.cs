using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Quantizable;

/// <summary>A model around an attention: quint8 goes in, and what comes out of it is dequantized.</summary>
internal sealed class AttentionHolder : nn.Module<AttentionCase, (Tensor, Tensor)>
{
    private readonly QuantStub quant_q = new();
    private readonly QuantStub quant_k = new();
    private readonly QuantStub quant_v = new();
    private readonly nn.Module<Tensor, Tensor, Tensor, Tensor?, bool, Tensor?, Tuple<Tensor, Tensor>> attention;
    private readonly DeQuantStub dequant = new();

    public AttentionHolder(nn.Module<Tensor, Tensor, Tensor, Tensor?, bool, Tensor?, Tuple<Tensor, Tensor>> attention) : base(nameof(AttentionHolder))
    {
        this.attention = attention;
        RegisterComponents();
        eval();
    }

    public nn.Module<Tensor, Tensor, Tensor, Tensor?, bool, Tensor?, Tuple<Tensor, Tensor>> Attention => attention;

    /// <summary>The quantized inputs as they reach the attention.</summary>
    public (Tensor Query, Tensor Key, Tensor Value) Inner(AttentionCase inputs)
    {
        var (q, k, v) = inputs.Inputs();
        return (quant_q.call(q), quant_k.call(k), quant_v.call(v));
    }

    public override (Tensor, Tensor) forward(AttentionCase inputs)
    {
        using var scope = NewDisposeScope();
        var (q, k, v) = Inner(inputs);
        var (output, weights) = attention.call(q, k, v, inputs.Padding(), attn_mask: inputs.Mask());
        return scope.MoveToOuter(dequant.call(output), dequant.call(weights));
    }
}
