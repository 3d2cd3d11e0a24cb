using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Finds the options of a MultiheadAttention, which TorchSharp keeps in native code alone. Sizes and biases follow from the parameters; the rest shows in the attention weights of
/// a tiny input. The training flag and the state of the random generator are put back. Not to run while another thread uses the module.
/// </summary>
internal sealed class AttentionProbe
{
    private readonly MultiheadAttention _module;
    private readonly Dictionary<string, Parameter> _parameters;
    private readonly AttentionFactoryOptions _sizes;

    private AttentionProbe(MultiheadAttention module)
    {
        _module = module;
        _parameters = module.named_parameters().ToDictionary(p => p.name, p => p.parameter, StringComparer.Ordinal);
        var output = _parameters["out_proj.weight"];
        if (output.device_type != TorchSharp.DeviceType.CPU || output.dtype is not (ScalarType.Float32 or ScalarType.Float64))
            throw new NotSupportedException("the options of a MultiheadAttention can be found only on the CPU in float32 or float64");
        var embedding = output.shape[0];
        _sizes = new AttentionFactoryOptions(embedding, 1, 0, _parameters.ContainsKey("in_proj_bias"), _parameters.ContainsKey("bias_k"), false,
            _parameters.TryGetValue("k_proj_weight", out var key) ? key.shape[1] : embedding, _parameters.TryGetValue("v_proj_weight", out var value) ? value.shape[1] : embedding);
        if (_sizes.KeySize != _sizes.ValueSize)
            throw new NotSupportedException($"this MultiheadAttention has keys of {_sizes.KeySize} and values of {_sizes.ValueSize}, which its native code refuses to run");
    }

    /// <summary>All options.</summary>
    /// <exception cref="NotSupportedException">An option cannot be found.</exception>
    public static AttentionFactoryOptions Of(MultiheadAttention module)
    {
        var probe = new AttentionProbe(module);
        var wasTraining = module.training;
        using var scope = NewDisposeScope();
        using var grad = no_grad();
        using var random = get_rng_state();
        try
        {
            module.eval();
            var options = probe._sizes with { AddZeroAttn = probe.Columns() > 1 };
            options = options with { Heads = probe.Heads(options) };
            return options with { Dropout = probe.Dropout(options) };
        }
        finally
        {
            module.train(wasTraining);
            set_rng_state(random);
        }
    }

    /// <summary>The weight that projects one of query, key and value, which lie one after the other where they are one parameter.</summary>
    private Tensor Projection(int which) => _sizes.IsJoined
        ? _parameters["in_proj_weight"].narrow(0, which * _sizes.Embedding, _sizes.Embedding)
        : _parameters[which == 0 ? "q_proj_weight" : which == 1 ? "k_proj_weight" : "v_proj_weight"];

    /// <summary>How many keys the attention sees besides the given ones and bias_k: add_zero_attn adds one.</summary>
    private long Columns() => Weights(Ramp(1, _sizes.Embedding, 1), Ramp(1, _sizes.KeySize, 1), null).shape[2] - (_sizes.AddBiasKv ? 1 : 0);

    /// <summary>The number of heads: which divisor of the size explains the attention weights, the mean over the heads of softmax(q k / sqrt(head size)).</summary>
    private long Heads(AttentionFactoryOptions options)
    {
        var candidates = Enumerable.Range(1, (int)options.Embedding).Where(heads => options.Embedding % heads == 0).ToList();
        if (candidates.Count == 1)
            return 1;
        foreach (var size in new[] { 1.0, 4, 0.25, 16, 64, 256 })
        {
            using var scope = NewDisposeScope();
            Tensor query = Ramp(6, options.Embedding, size), key = Ramp(5, options.KeySize, size + 0.5);
            var seen = Weights(query, key, null)[0];
            var errors = candidates.Select(heads => (Heads: heads, Error: (Expected(query, key, heads, options.AddZeroAttn) - seen).abs().max().to(ScalarType.Float64).item<double>()))
                .OrderBy(e => e.Error).ToList();
            if (errors[0].Error < 1e-4 && errors[0].Error * 30 < errors[1].Error)
                return errors[0].Heads;
        }

        throw new NotSupportedException("the number of heads of a MultiheadAttention is kept in native code and the weights do not show it");
    }

    private Tensor Expected(Tensor query, Tensor key, int heads, bool addZeroAttn)
    {
        var size = _sizes.Embedding;
        Tensor q = query[.., 0].matmul(Projection(0).t()), k = key[.., 0].matmul(Projection(1).t());
        if (_parameters.TryGetValue("in_proj_bias", out var bias))
            (q, k) = (q + bias.narrow(0, 0, size), k + bias.narrow(0, size, size));
        if (_parameters.TryGetValue("bias_k", out var biasK))
            k = cat([k, biasK.reshape(1, size)]);
        if (addZeroAttn)
            k = cat([k, zeros(1, size, dtype: k.dtype)]);
        var scores = q.reshape(-1, heads, size / heads).transpose(0, 1).matmul(k.reshape(-1, heads, size / heads).permute(1, 2, 0)) / Math.Sqrt((double)size / heads);
        return scores.softmax(-1).mean([0]);
    }

    /// <summary>
    /// The probability of dropping an attention weight. A mask lets every query look at one key only, so that in training the mean over H heads is n / (H (1 - p)), where n heads
    /// kept it: multiples of one number, whose differences show it.
    /// </summary>
    private double Dropout(AttentionFactoryOptions options)
    {
        var queries = Math.Max(512, 4096 / options.Heads);
        Tensor query = zeros(queries, 1, options.Embedding, dtype: Type), key = zeros(1, 1, options.KeySize, dtype: Type), mask = full(queries, 1, 1e6, dtype: Type);
        if (Numbers(query, key, mask) is not [1])
            throw Unknown();
        _module.train();
        var seen = Numbers(query, key, mask);
        if (seen is [0])
            return 1;
        var unit = seen.Count == 1 ? seen[0] / options.Heads : seen.Zip(seen.Skip(1), (a, b) => b - a).Min();
        var most = Math.Round(seen[^1] / unit);
        unit = seen[^1] / most;
        var p = Math.Round(1 - (1 / (options.Heads * unit)), 6);
        if (most > options.Heads || p is < 0 or > 1 || seen.Any(value => Math.Abs((value / unit) - Math.Round(value / unit)) > 0.01))
            throw Unknown();
        return p + 0.0; // not -0
    }

    private static NotSupportedException Unknown() => new("the dropout probability of a MultiheadAttention is kept in native code and its weights do not show it");

    /// <summary>The attention weights of the first key that differ, from small to large.</summary>
    private List<double> Numbers(Tensor query, Tensor key, Tensor mask)
    {
        var distinct = new List<double>();
        foreach (var value in Weights(query, key, mask).select(2, 0).to(ScalarType.Float64).data<double>().Order())
            if (distinct.Count == 0 || !(value - distinct[^1] < 1e-5)) distinct.Add(value);
        return distinct.Count > 0 && Math.Abs(distinct[0] - 1) < 1e-9 ? [1, .. distinct[1..]] : distinct;
    }

    private ScalarType Type => _parameters["out_proj.weight"].dtype;

    private Tensor Weights(Tensor query, Tensor key, Tensor? mask) => _module.forward(query, key, key, null, true, mask).Item2;

    /// <summary>Rows that differ, [rows, 1, columns], without drawing a random number.</summary>
    private Tensor Ramp(long rows, long columns, double size)
    {
        var ramp = linspace(-3, 3, rows * columns, dtype: ScalarType.Float64);
        return (ramp * 12.9898 * size).sin().mul(size).reshape(rows, 1, columns).to(Type);
    }
}
