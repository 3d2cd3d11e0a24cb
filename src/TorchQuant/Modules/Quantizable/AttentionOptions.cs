using System.Globalization;

namespace TorchQuant.Modules;

/// <summary>The options of a <see cref="QuantizedMultiheadAttention"/> as a file keeps them, and as messages print them.</summary>
internal static class AttentionOptions
{
    /// <summary>As a file keeps them; there is no dropout in a quantized module.</summary>
    public static Dictionary<string, string> Write(AttentionFactoryOptions options) => new(StringComparer.Ordinal)
    {
        ["embed_dim"] = Text(options.Embedding),
        ["num_heads"] = Text(options.Heads),
        ["bias"] = Text(options.Bias),
        ["add_bias_kv"] = Text(options.AddBiasKv),
        ["add_zero_attn"] = Text(options.AddZeroAttn),
        ["kdim"] = Text(options.KeySize),
        ["vdim"] = Text(options.ValueSize),
    };

    /// <summary>From a file.</summary>
    /// <exception cref="ArgumentException">An option is missing or has no meaning.</exception>
    public static AttentionFactoryOptions Read(IReadOnlyDictionary<string, string> options, string path)
    {
        int Size(string name) => StateOptions.Int(options, name, path, least: 1);
        bool Flag(string name) => StateOptions.Bool(options, name, path);
        var read = new AttentionFactoryOptions(Size("embed_dim"), Size("num_heads"), 0, Flag("bias"), Flag("add_bias_kv"), Flag("add_zero_attn"), Size("kdim"), Size("vdim"));
        return read.Embedding % read.Heads == 0
            ? read
            : throw new ArgumentException($"{path}: the options embed_dim and num_heads are {read.Embedding} and {read.Heads}; expected a multiple.");
    }

    /// <summary>The parameters of the float module, with their shapes.</summary>
    public static Dictionary<string, long[]> ParameterShapes(AttentionFactoryOptions options)
    {
        var size = options.Embedding;
        var shapes = new Dictionary<string, long[]>(StringComparer.Ordinal) { ["out_proj.weight"] = [size, size] };
        if (options.IsJoined)
            shapes["in_proj_weight"] = [3 * size, size];
        else
            (shapes["q_proj_weight"], shapes["k_proj_weight"], shapes["v_proj_weight"]) = ([size, size], [size, options.KeySize], [size, options.ValueSize]);
        if (options.Bias)
            (shapes["in_proj_bias"], shapes["out_proj.bias"]) = ([3 * size], [size]);
        if (options.AddBiasKv)
            shapes["bias_k"] = shapes["bias_v"] = [1, 1, size];
        return shapes;
    }

    /// <summary>The sizes, and what is not the default.</summary>
    public static string Describe(AttentionFactoryOptions options)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"embed_dim={options.Embedding}, num_heads={options.Heads}");
        if (!options.Bias)
            text += ", bias=False";
        if (options.AddBiasKv)
            text += ", add_bias_kv=True";
        if (options.AddZeroAttn)
            text += ", add_zero_attn=True";
        return options.IsJoined ? text : text + string.Create(CultureInfo.InvariantCulture, $", kdim={options.KeySize}, vdim={options.ValueSize}");
    }

    private static string Text(long size) => size.ToString(CultureInfo.InvariantCulture);

    private static string Text(bool flag) => flag ? "true" : "false";
}
