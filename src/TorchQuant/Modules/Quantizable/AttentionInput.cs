using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The inputs of an attention: checked, with the masks in one form. The messages name the module, what was found, what was expected and the mend.</summary>
/// <param name="name">The module as messages name it.</param>
/// <param name="options">Its sizes.</param>
internal sealed class AttentionInput(Func<string> name, AttentionFactoryOptions options)
{
    /// <summary>Checks query, key and value; returns queries, keys and batch.</summary>
    public (int Queries, int Keys, int Batch) Sizes(Tensor query, Tensor key, Tensor value)
    {
        Shape(query, nameof(query), options.Embedding);
        Shape(key, nameof(key), options.KeySize);
        Shape(value, nameof(value), options.ValueSize);
        if (key.shape[0] != value.shape[0] || key.shape[1] != value.shape[1] || query.shape[1] != key.shape[1])
            throw Bad($"query, key and value are {Text(query)}, {Text(key)} and {Text(value)}; expected (queries, batch, {options.Embedding}), (keys, batch, {options.KeySize}) and (keys, batch, {options.ValueSize}).");
        if (key.shape[0] == 0 && !options.AddBiasKv && !options.AddZeroAttn)
            throw Bad("there are no keys to look at; expected at least one.");
        return (checked((int)query.shape[0]), checked((int)key.shape[0]), checked((int)query.shape[1]));
    }

    /// <summary>The attention mask as a new float tensor, [1 or batch * heads, queries, keys and what the module adds to them]; null if there is none.</summary>
    public Tensor? Attention(Tensor? mask, int queries, int keys, int batch)
    {
        if (mask is null)
            return null;
        var shape = mask.shape;
        if (!(shape.Length is 2 or 3 && shape[^2] == queries && shape[^1] == keys && (shape.Length == 2 || shape[0] == batch * options.Heads)))
            throw Bad($"attn_mask is {Text(mask)}; expected (queries, keys) = ({queries}, {keys}), or (batch * heads, queries, keys) = ({batch * options.Heads}, {queries}, {keys}).");
        // libtorch's C++ module adds a boolean mask as 0 and 1, PyTorch's masks: refused, so that no model computes something else when it is quantized.
        if (!mask.is_floating_point())
            throw Bad($"attn_mask is {mask.dtype}; expected floating point numbers that are added, -infinity where a query must not look. TorchSharp's own module adds a boolean mask as 0 and 1, which masks nothing: " +
                      "make it with zeros(queries, keys).masked_fill(mask, double.NegativeInfinity).");
        using var scope = NewDisposeScope();
        return scope.MoveToOuter(WithAdded(shape.Length == 2 ? mask.unsqueeze(0) : mask));
    }

    /// <summary>The padding mask as a new boolean tensor, [batch, 1, 1, keys and what the module adds to them]; null if there is none.</summary>
    public Tensor? Padding(Tensor? mask, int keys, int batch)
    {
        if (mask is null)
            return null;
        if (!mask.shape.AsSpan().SequenceEqual([batch, keys]))
            throw Bad($"key_padding_mask is {Text(mask)}; expected (batch, keys) = ({batch}, {keys}).");
        if (mask.dtype is not (ScalarType.Bool or ScalarType.Byte))
            throw Bad($"key_padding_mask is {mask.dtype}; expected Bool (true: padding, not to be looked at).");
        using var scope = NewDisposeScope();
        return scope.MoveToOuter(WithAdded(mask.to(ScalarType.Bool)).unsqueeze(1).unsqueeze(2));
    }

    /// <summary>Keys that the module adds are never masked.</summary>
    private Tensor WithAdded(Tensor mask)
    {
        var added = (options.AddBiasKv ? 1 : 0) + (options.AddZeroAttn ? 1 : 0);
        return added == 0 ? mask.alias() : cat([mask, zeros([.. mask.shape[..^1], added], dtype: mask.dtype, device: mask.device)], -1);
    }

    private void Shape(Tensor tensor, string argument, long features)
    {
        ArgumentNullException.ThrowIfNull(tensor, argument);
        if (tensor.dim() != 3 || tensor.shape[2] != features)
            throw Bad($"{argument} is {Text(tensor)}; expected three dimensions, ({(argument == "query" ? "queries" : "keys")}, batch, {features})." +
                      $"{(tensor.dim() == 2 ? " Add the batch dimension with unsqueeze(1)." : "")}");
    }

    private ArgumentException Bad(string what) => new($"{name()}: {what}");

    private static string Text(Tensor tensor) => $"({string.Join(", ", tensor.shape)})";
}
