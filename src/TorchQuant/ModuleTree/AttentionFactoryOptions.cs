namespace TorchQuant;

/// <summary>What a MultiheadAttention was made with.</summary>
internal sealed record AttentionFactoryOptions(long Embedding, long Heads, double Dropout, bool Bias, bool AddBiasKv, bool AddZeroAttn, long KeySize, long ValueSize)
{
    /// <summary>Numbers of one head.</summary>
    public long HeadSize => Embedding / Heads;

    /// <summary>Whether the weights of query, key and value are one parameter, <c>in_proj_weight</c>.</summary>
    public bool IsJoined => KeySize == Embedding && ValueSize == Embedding;
}
