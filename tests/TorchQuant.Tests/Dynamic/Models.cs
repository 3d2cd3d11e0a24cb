using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Dynamic;

/// <summary>Two Linears and a block with a third: enough for names, types and inheritance.</summary>
internal sealed class TwoLevels : nn.Module<Tensor, Tensor>
{
    public readonly nn.Module<Tensor, Tensor> first = nn.Linear(8, 6);
    public readonly nn.Module<Tensor, Tensor> activation = nn.ReLU();
    public readonly Block block = new();
    public nn.Module<Tensor, Tensor> last = nn.Linear(5, 4);

    public TwoLevels() : base(nameof(TwoLevels)) => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        using var a = first.call(input);
        using var b = activation.call(a);
        using var c = block.call(b);
        return last.call(c);
    }
}

internal sealed class Block : nn.Module<Tensor, Tensor>
{
    public readonly nn.Module<Tensor, Tensor> inner = nn.Linear(6, 5);

    public Block() : base(nameof(Block)) => RegisterComponents();

    public override Tensor forward(Tensor input) => inner.call(input);
}

/// <summary>The word language model of PyTorch's dynamic quantization tutorial.</summary>
internal sealed class LanguageModel : nn.Module<Tensor, Tensor>
{
    public readonly nn.Module<Tensor, Tensor> encoder;
    public readonly nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)> rnn;
    public readonly nn.Module<Tensor, Tensor> decoder;

    public LanguageModel(int words, int embedding, int hidden, int layers) : base(nameof(LanguageModel))
    {
        encoder = nn.Embedding(words, embedding);
        rnn = nn.LSTM(embedding, hidden, layers);
        decoder = nn.Linear(hidden, words);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return decoder.call(rnn.call(encoder.call(input), null).Item1).MoveToOuterDisposeScope();
    }
}

/// <summary>Fields that cannot hold a quantized module, and one that can.</summary>
internal sealed class Sealed : nn.Module<Tensor, Tensor>
{
    public readonly Linear one = nn.Linear(4, 4);
    public readonly Linear two = nn.Linear(4, 4);
    public readonly nn.Module<Tensor, Tensor> three = nn.Linear(4, 4);

    public Sealed() : base(nameof(Sealed)) => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        using var a = one.call(input);
        using var b = two.call(a);
        return three.call(b);
    }
}
