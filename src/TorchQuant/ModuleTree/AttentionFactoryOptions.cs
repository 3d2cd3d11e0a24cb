namespace TorchQuant;

/// <summary>What a MultiheadAttention was made with.</summary>
internal sealed record AttentionFactoryOptions(long Embedding, long Heads, double Dropout, bool Bias, bool AddBiasKv, bool AddZeroAttn, long KeySize, long ValueSize)
{
    /// <summary>What the queries are multiplied by, 1 / sqrt(numbers of one head), rounded as PyTorch rounds it.</summary>
    public double Scaling => Math.Pow(Embedding / Heads, -0.5);

    /// <summary>Whether the weights of query, key and value are one parameter, <c>in_proj_weight</c>.</summary>
    public bool IsJoined => KeySize == Embedding && ValueSize == Embedding;
}
