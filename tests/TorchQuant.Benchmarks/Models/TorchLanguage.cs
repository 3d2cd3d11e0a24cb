using TorchQuant.Benchmarks.Peers.Torch;
using TorchQuant.Benchmarks.Races;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Models;

/// <summary>The language model in libtorch: embedding, LSTM, linear layer, float and dynamic int8.</summary>
internal static class TorchLanguage
{
    private static readonly IReadOnlyList<(string Name, string Type)> s_attributes =
        [.. RecurrentScript.Attributes, ("p", "__torch__.torch.classes.quantized.LinearPackedParamsBase")];

    private const string Methods = RecurrentScript.Methods + """

        def pack_decoder(self: __torch__.Operators,
            codes: Tensor,
            scales: Tensor,
            bias: Tensor) -> Tensor:
          qw = torch._make_per_channel_quantized_tensor(codes, scales, torch.zeros([torch.size(codes, 0)], dtype=4), 0)
          self.p = ops.quantized.linear_prepack(qw, bias)
          return codes
        def run_int8(self: __torch__.Operators,
            x: Tensor,
            embedding: Tensor,
            h: Tensor,
            layers: int,
            n: int) -> List[Tensor]:
          xs = [x, x]
          out = [x, x]
          cells = unchecked_cast(List[__torch__.torch.classes.rnn.CellParamsBase], self.cells)
          p = unchecked_cast(__torch__.torch.classes.quantized.LinearPackedParamsBase, self.p)
          for i in range(n):
            words = torch.embedding(embedding, xs[torch.__and__(i, 1)])
            y, hn, cn = torch.quantized_lstm(words, [h, h], cells, True, layers, 0., False, False, False, dtype=12, use_dynamic=True)
            _0 = torch._set_item(out, torch.__and__(i, 1), ops.quantized.linear_dynamic(y, p, True))
          return out
        def run_float(self: __torch__.Operators,
            x: Tensor,
            embedding: Tensor,
            h: Tensor,
            weights: List[Tensor],
            decoder: Tensor,
            bias: Tensor,
            layers: int,
            n: int) -> List[Tensor]:
          xs = [x, x]
          out = [x, x]
          for i in range(n):
            words = torch.embedding(embedding, xs[torch.__and__(i, 1)])
            y, hn, cn = torch.lstm(words, [h, h], weights, True, layers, 0., False, False, False)
            _0 = torch._set_item(out, torch.__and__(i, 1), torch.linear(y, decoder, bias))
          return out
        """;

    public static IContender Int8(LanguageData data, int threads, string engine, byte number)
    {
        jit.ScriptModule script = TorchScriptArchive.Load(s_attributes, Methods);
        set_num_threads(threads);
        QuantizedEngine.Set(number);
        Tensor embedding = Embedding(data), x = data.WordTensor(), h = State(data);
        Tensor[] codes = [.. data.Cells.SelectMany(cell => new[] { Rows(tensor(cell.Input), cell.InputBias), Rows(tensor(cell.Hidden), cell.InputBias), tensor(cell.InputBias), tensor(cell.HiddenBias) })];
        script.invoke<Tensor>("pack", codes, tensor(data.Cells.SelectMany(cell => new[] { (double)cell.InputScale, cell.HiddenScale }).ToArray()));
        script.invoke<Tensor>("pack_decoder", tensor(data.Decoder.Codes).reshape(data.Decoder.Shape), tensor(Array.ConvertAll(data.Decoder.Scales, s => (double)s)), tensor(data.Decoder.Bias));
        return Contender($"libtorch int8 {engine}", Side.Int8Peer, number, data, threads, script, (m, n) => m.invoke("run_int8", x, embedding, h, data.Shape.Layers, n));
    }

    public static IContender Float(LanguageData data, int threads)
    {
        Tensor embedding = Embedding(data), x = data.WordTensor(), h = State(data);
        Tensor[] weights =
        [
            .. Enumerable.Range(0, data.Shape.Layers).Select(data.Model.Layer).SelectMany(layer => new[]
            {
                Rows(tensor(layer.Input), layer.InputBias), Rows(tensor(layer.Hidden), layer.InputBias), tensor(layer.InputBias), tensor(layer.HiddenBias),
            }),
        ];
        Tensor decoder = tensor(data.Model.Decoder.Weights).reshape(data.Decoder.Shape), bias = tensor(data.Decoder.Bias);
        return Contender(
            "libtorch float", Side.FloatPeer, null, data, threads, TorchScriptArchive.Load(s_attributes, Methods), (m, n) => m.invoke("run_float", x, embedding, h, weights, decoder, bias, data.Shape.Layers, n));
    }

    private static Tensor Embedding(LanguageData data) => tensor(data.Model.Embedding).reshape(data.Model.Words, data.Shape.Inputs);

    private static Tensor State(LanguageData data) => zeros(data.Shape.Layers, data.Batch, data.Shape.Hidden);

    private static Tensor Rows(Tensor weights, float[] bias) => weights.reshape(bias.Length, -1);

    private static TorchContender Contender(string name, Side side, byte? engine, LanguageData data, int threads, jit.ScriptModule script, Func<jit.ScriptModule, int, object> run) =>
        new(name, side, engine, threads, script, run, (who, m) =>
        {
            using var scope = NewDisposeScope();
            return Scores.Check(who, side, data.Expected, ((Tensor[])run(m, 2))[1].contiguous().data<float>().ToArray());
        });
}
