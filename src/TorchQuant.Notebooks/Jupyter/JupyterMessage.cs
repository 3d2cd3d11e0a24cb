using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace TorchQuant.Notebooks.Jupyter;

/// <summary>A received message. <paramref name="Header"/> is kept as it came, because answers carry it back.</summary>
/// <param name="Identities">The routing frames: whom to answer.</param>
/// <param name="Header">The header's JSON.</param>
/// <param name="Type">The header's msg_type.</param>
/// <param name="Content">The content.</param>
internal sealed record JupyterMessage(IReadOnlyList<byte[]> Identities, byte[] Header, string Type, JsonObject Content)
{
    public bool Flag(string name, bool otherwise) => Content[name] is JsonValue value && value.TryGetValue(out bool flag) ? flag : otherwise;

    public int Number(string name, int otherwise) => Content[name] is JsonValue value && value.TryGetValue(out double number) ? (int)Math.Clamp(number, int.MinValue, int.MaxValue) : otherwise;

    public string Text(string name) => Content[name] is JsonValue value && value.TryGetValue(out string? text) ? text : "";
}

/// <summary>Messages as the frames of the wire protocol: identities, a delimiter, the signature, four JSON objects.</summary>
internal sealed class MessageCodec(MessageSigner signer)
{
    /// <summary>The version of the messaging protocol that this kernel speaks.</summary>
    public const string ProtocolVersion = "5.4";

    // Readable text in other scripts than Latin: half the bytes, and the readers are JSON parsers, not pages.
    private static readonly JsonSerializerOptions s_layout = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly byte[] s_delimiter = "<IDS|MSG>"u8.ToArray();
    private static readonly byte[] s_empty = "{}"u8.ToArray();

    private readonly string _session = Guid.NewGuid().ToString("N");

    public IReadOnlyList<byte[]> Encode(IReadOnlyList<byte[]> identities, string type, byte[]? parentHeader, JsonObject content, JsonObject? metadata = null)
    {
        var header = new JsonObject
        {
            ["msg_id"] = Guid.NewGuid().ToString("N"),
            ["session"] = _session,
            ["username"] = "kernel",
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
            ["msg_type"] = type,
            ["version"] = ProtocolVersion,
        };
        byte[][] parts = [Bytes(header), parentHeader ?? s_empty, metadata is null ? s_empty : Bytes(metadata), Bytes(content)];
        return [.. identities, s_delimiter, Encoding.ASCII.GetBytes(signer.Sign(parts)), .. parts];
    }

    /// <returns>The message, or null when it is none, or its signature is wrong or was used before.</returns>
    public JupyterMessage? Decode(IReadOnlyList<byte[]> frames)
    {
        var cut = 0;
        while (cut < frames.Count && !frames[cut].AsSpan().SequenceEqual(s_delimiter)) cut++;
        if (frames.Count < cut + 6 || !signer.Accept(frames[cut + 1], frames.Skip(cut + 2).Take(4))) return null;
        try
        {
            if (JsonNode.Parse(frames[cut + 2]) is not JsonObject header || JsonNode.Parse(frames[cut + 5]) is not JsonObject content) return null;
            if (header["msg_type"] is not JsonValue value || !value.TryGetValue(out string? type)) return null;
            _ = content.Count;
            return new JupyterMessage([.. frames.Take(cut)], frames[cut + 2], type, content);
        }
        catch (Exception e) when (e is JsonException or ArgumentException) // a key that stands twice is found when an object is looked into
        {
            return null;
        }
    }

    private static byte[] Bytes(JsonObject json) => JsonSerializer.SerializeToUtf8Bytes(json, s_layout);
}
