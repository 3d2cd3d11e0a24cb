using System.Security.Cryptography;
using System.Text;

namespace TorchQuant.Notebooks.Jupyter;

/// <summary>Signs messages and checks signatures: HMAC-SHA256 in hex over header, parent header, metadata and content. With an empty key nothing is signed, by the protocol.</summary>
internal sealed class MessageSigner(byte[] key)
{
    // What was received once is not accepted again. Older ones are forgotten: the list must not grow for ever.
    private const int Remembered = 1 << 16;

    private readonly HashSet<string> _seen = [];
    private readonly Queue<string> _order = [];

    public string Sign(IEnumerable<byte[]> parts)
    {
        if (key.Length == 0) return "";
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        foreach (var part in parts) mac.AppendData(part);
        return Convert.ToHexStringLower(mac.GetHashAndReset());
    }

    /// <summary>Whether the signature is right and new.</summary>
    public bool Accept(byte[] signature, IEnumerable<byte[]> parts)
    {
        if (key.Length == 0) return true;
        var expected = Sign(parts);
        if (!CryptographicOperations.FixedTimeEquals(signature, Encoding.ASCII.GetBytes(expected)) || !_seen.Add(expected)) return false;
        _order.Enqueue(expected);
        if (_order.Count > Remembered) _seen.Remove(_order.Dequeue());
        return true;
    }
}
