using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Models;

/// <summary>An encoder layer as BERT has it (Devlin et al. 2018): self-attention and two linear layers with GELU, each with its sum and layer norm. [batch, steps, width] in and out.</summary>
internal sealed class EncoderLayer : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> _query, _key, _value, _output, _up, _down, _attentionNorm, _outputNorm;

    public EncoderLayer(int width, int heads, int inner) : base(nameof(EncoderLayer))
    {
        (Width, Heads, Inner) = (width, heads, inner);
        (_query, _key, _value, _output) = (nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width));
        (_up, _down) = (nn.Linear(width, inner), nn.Linear(inner, width));
        (_attentionNorm, _outputNorm) = (nn.LayerNorm(width), nn.LayerNorm(width));
        RegisterComponents();
    }

    /// <summary>The linear layers, in the order of <see cref="LinearNames"/>.</summary>
    public static IReadOnlyList<string> LinearNames { get; } = ["_query", "_key", "_value", "_output", "_up", "_down"];

    public int Width { get; }

    public int Heads { get; }

    public int Inner { get; }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        Tensor attended = nn.functional.scaled_dot_product_attention(Split(_query.call(input)), Split(_key.call(input)), Split(_value.call(input)));
        Tensor joined = attended.transpose(1, 2).reshape(input.shape);
        Tensor hidden = _attentionNorm.call(_output.call(joined).add_(input));
        Tensor inner = nn.functional.gelu(_up.call(hidden));
        return _outputNorm.call(_down.call(inner).add_(hidden)).MoveToOuterDisposeScope();
    }

    /// <summary>The float weights and bias of a linear layer.</summary>
    public (float[] Weights, float[] Bias) Linear(string name) => (get_parameter($"{name}.weight")!.data<float>().ToArray(), get_parameter($"{name}.bias")!.data<float>().ToArray());

    private Tensor Split(Tensor x) => x.reshape(x.shape[0], x.shape[1], Heads, Width / Heads).transpose(1, 2);
}
