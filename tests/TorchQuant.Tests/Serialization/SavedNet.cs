using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Serialization;

/// <summary>Every kind of state: modules to quantize in fields, a list and a Sequential, a batch norm with buffers, a parameter of the model's own, a tied weight.</summary>
internal sealed class SavedNet : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> embedding;
    private readonly nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)> rnn;
    private readonly nn.Module<Tensor, Tensor> body;
    private readonly nn.Module<Tensor, Tensor> norm;
    private readonly ModuleList<nn.Module<Tensor, Tensor>> heads;
    private readonly Parameter gain;
    private readonly nn.Module<Tensor, Tensor> first;
    private readonly nn.Module<Tensor, Tensor> second;

    public SavedNet(long seed, long width = 6) : base(nameof(SavedNet))
    {
        random.manual_seed(seed);
        embedding = nn.Embedding(11, 8);
        rnn = nn.LSTM(8, width, 2, batchFirst: true, bidirectional: true);
        body = nn.Sequential(("in", nn.Linear(2 * width, 5)), ("act", nn.ReLU()), ("out", nn.Linear(5, 4, hasBias: false)));
        norm = nn.BatchNorm1d(4);
        heads = new ModuleList<nn.Module<Tensor, Tensor>>(nn.Linear(4, 3), nn.Linear(4, 3));
        gain = new Parameter(randn(3));
        var tied = nn.LayerNorm(3);
        first = tied;
        second = nn.Sequential(("again", tied));
        RegisterComponents();
        eval();
    }

    public override Tensor forward(Tensor ids)
    {
        using var scope = NewDisposeScope();
        var (y, _, _) = rnn.call(embedding.call(ids), null);
        var z = norm.call(body.call(y.mean([1])));
        return (second.call(first.call(heads[0].call(z) + heads[1].call(z))) * gain).MoveToOuterDisposeScope();
    }
}
