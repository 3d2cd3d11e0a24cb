using TorchQuant.Benchmarks.Recurrent;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Models;

/// <summary>The LSTM language model of PyTorch's tutorial on dynamic quantization: word numbers [steps, batch] to scores [steps, batch, words].</summary>
internal sealed class LanguageModel : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> _encoder, _decoder;
    private readonly nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)> _rnn;

    public LanguageModel(int words, int embedding, int hidden, int layers) : base(nameof(LanguageModel))
    {
        (Words, Shape) = (words, new RecurrentCase(RecurrentCase.Lstm, embedding, hidden, layers, 1, 1));
        _encoder = nn.Embedding(words, embedding);
        _rnn = nn.LSTM(embedding, hidden, layers);
        _decoder = nn.Linear(hidden, words);
        RegisterComponents();
    }

    public int Words { get; }

    /// <summary>The sizes of the LSTM, with one step of one sequence.</summary>
    public RecurrentCase Shape { get; }

    public override Tensor forward(Tensor input)
    {
        using Tensor words = _encoder.call(input);
        (Tensor y, Tensor h, Tensor c) = _rnn.call(words);
        h.Dispose();
        c.Dispose();
        using (y)
            return _decoder.call(y);
    }

    /// <summary>The float weights of the embedding.</summary>
    public float[] Embedding => Floats("_encoder.weight");

    /// <summary>The float weights and biases of an LSTM layer: input, hidden, input bias, hidden bias.</summary>
    public (float[] Input, float[] Hidden, float[] InputBias, float[] HiddenBias) Layer(int layer) =>
        (Floats($"_rnn.weight_ih_l{layer}"), Floats($"_rnn.weight_hh_l{layer}"), Floats($"_rnn.bias_ih_l{layer}"), Floats($"_rnn.bias_hh_l{layer}"));

    /// <summary>The float weights and bias of the last layer.</summary>
    public (float[] Weights, float[] Bias) Decoder => (Floats("_decoder.weight"), Floats("_decoder.bias"));

    private float[] Floats(string name) => get_parameter(name)!.data<float>().ToArray();
}
