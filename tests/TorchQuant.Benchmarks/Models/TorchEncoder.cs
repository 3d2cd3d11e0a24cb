using TorchQuant.Benchmarks.Peers.Torch;
using TorchQuant.Benchmarks.Races;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Models;

/// <summary>The encoder layer in libtorch. Layer norms have weight 1 and bias 0.</summary>
internal static class TorchEncoder
{
    private static readonly IReadOnlyList<(string Name, string Type)> s_attributes = [("linears", "List[__torch__.torch.classes.quantized.LinearPackedParamsBase]"), ("weights", "List[Tensor]")];

    public static IContender Int8(EncoderData data, int threads, string engine, byte number)
    {
        const string Linears = "linears = unchecked_cast(List[__torch__.torch.classes.quantized.LinearPackedParamsBase], self.linears)";
        jit.ScriptModule script = TorchScriptArchive.Load(s_attributes, Methods(data, (i, x) => $"ops.quantized.linear_dynamic({x}, linears[{i}], True)", Linears));
        set_num_threads(threads);
        QuantizedEngine.Set(number);
        script.invoke<Tensor>("start", zeros(1));
        foreach (string name in EncoderLayer.LinearNames)
        {
            LayerWeights layer = data.Layers[name];
            script.invoke<Tensor>("pack", tensor(layer.Codes).reshape(layer.Shape), tensor(Array.ConvertAll(layer.Scales, s => (double)s)), tensor(layer.Bias));
        }

        return Contender($"libtorch int8 {engine}", Side.Int8Peer, number, data, threads, script);
    }

    public static IContender Float(EncoderData data, int threads)
    {
        jit.ScriptModule script = WithWeights(data, (i, x) => $"torch.linear({x}, w[{2 * i}], w[{2 * i + 1}])");
        return Contender("libtorch float", Side.FloatPeer, null, data, threads, script);
    }

    /// <summary>With oneDNN's products, which are faster than MKL's on AMD.</summary>
    public static IContender FloatOneDnn(EncoderData data, int threads)
    {
        set_num_threads(threads);
        jit.ScriptModule script = WithWeights(
            data, (i, x) => $"ops.mkldnn._linear_pointwise({x}, w[{2 * i}], w[{2 * i + 1}], \"none\", annotate(List[Optional[number]], []), None)", (m, w) => m.invoke<Tensor>("reorder", w, data.Batch * data.Steps));
        return Contender("libtorch float onednn", Side.FloatPeer, null, data, threads, script);
    }

    private static jit.ScriptModule WithWeights(EncoderData data, Func<int, string, string> linear, Func<jit.ScriptModule, Tensor, Tensor>? layout = null)
    {
        jit.ScriptModule script = TorchScriptArchive.Load(s_attributes, Methods(data, linear, "w = unchecked_cast(List[Tensor], self.weights)"));
        Tensor[] weights =
        [
            .. EncoderLayer.LinearNames.SelectMany(name =>
            {
                (float[] values, float[] bias) = data.Model.Linear(name);
                Tensor w = tensor(values).reshape(data.Layers[name].Shape);
                return new[] { layout is null ? w : layout(script, w), tensor(bias) };
            }),
        ];
        script.invoke<Tensor>("keep", (object)weights);
        return script;
    }

    private static TorchContender Contender(string name, Side side, byte? engine, EncoderData data, int threads, jit.ScriptModule script)
    {
        Tensor x = data.Input();
        return new TorchContender(name, side, engine, threads, script, (m, n) => m.invoke("run", x, n), (who, m) =>
        {
            using var scope = NewDisposeScope();
            return Scores.Check(who, side, data.Expected, ((Tensor[])m.invoke("run", x, 2))[1].contiguous().data<float>().ToArray());
        });
    }

    private static string Methods(EncoderData data, Func<int, string, string> linear, string weights)
    {
        (int width, int heads) = (data.Model.Width, data.Model.Heads);
        return $$"""
            def start(self: __torch__.Operators,
                a: Tensor) -> Tensor:
              self.linears = annotate(List[__torch__.torch.classes.quantized.LinearPackedParamsBase], [])
              return a
            def pack(self: __torch__.Operators,
                codes: Tensor,
                scales: Tensor,
                bias: Tensor) -> Tensor:
              qw = torch._make_per_channel_quantized_tensor(codes, scales, torch.zeros([torch.size(codes, 0)], dtype=4), 0)
              linears = unchecked_cast(List[__torch__.torch.classes.quantized.LinearPackedParamsBase], self.linears)
              _0 = torch.append(linears, ops.quantized.linear_prepack(qw, bias))
              return codes
            def reorder(self: __torch__.Operators,
                w: Tensor,
                rows: int) -> Tensor:
              return ops.mkldnn._reorder_linear_weight(w, rows)
            def keep(self: __torch__.Operators,
                weights: List[Tensor]) -> Tensor:
              self.weights = weights
              return weights[1]
            def split(self: __torch__.Operators,
                x: Tensor) -> Tensor:
              return torch.transpose(torch.reshape(x, [torch.size(x, 0), torch.size(x, 1), {{heads}}, {{width / heads}}]), 1, 2)
            def forward(self: __torch__.Operators,
                x: Tensor) -> Tensor:
              {{weights}}
              q = (self).split({{linear(0, "x")}}, )
              k = (self).split({{linear(1, "x")}}, )
              v = (self).split({{linear(2, "x")}}, )
              attended = torch.scaled_dot_product_attention(q, k, v, None, 0., False)
              joined = torch.reshape(torch.transpose(attended, 1, 2), torch.size(x))
              hidden = torch.layer_norm(torch.add_({{linear(3, "joined")}}, x), [{{width}}], None, None, 1.0000000000000001e-05)
              inner = torch.gelu({{linear(4, "hidden")}})
              return torch.layer_norm(torch.add_({{linear(5, "inner")}}, hidden), [{{width}}], None, None, 1.0000000000000001e-05)
            def run(self: __torch__.Operators,
                a: Tensor,
                n: int) -> List[Tensor]:
              xs = [a, a]
              out = [a, a]
              for i in range(n):
                _0 = (self).forward(xs[torch.__and__(i, 1)], )
                _1 = torch._set_item(out, torch.__and__(i, 1), _0)
              return out
            """;
    }
}
