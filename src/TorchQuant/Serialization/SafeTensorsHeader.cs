using System.Globalization;
using System.Text.Json;
using static TorchSharp.torch;

namespace TorchQuant.Serialization;

/// <summary>One tensor of a safetensors file: its bytes stand at [<paramref name="Begin"/>, <paramref name="End"/>) after the header.</summary>
internal sealed record SafeTensorsEntry(string Name, ScalarType Type, long[] Shape, long Begin, long End);

/// <summary>
/// The JSON header of a safetensors file: for each tensor <c>dtype</c>, <c>shape</c>, <c>data_offsets</c>, and strings under <c>__metadata__</c>. It is checked wholly before
/// a tensor is read: the entries cover the data without gap or overlap, and each is as long as its shape says.
/// </summary>
internal sealed record SafeTensorsHeader(IReadOnlyList<SafeTensorsEntry> Entries, IReadOnlyDictionary<string, string> Metadata)
{
    private const string MetadataKey = "__metadata__";

    /// <summary>What the format allows: a longer header means a file of another kind.</summary>
    public const int MaxBytes = 100_000_000;

    /// <summary>Reads a header.</summary>
    /// <param name="json">The header's bytes.</param>
    /// <param name="dataBytes">How many bytes follow it.</param>
    /// <exception cref="QuantizedFileException">The header is damaged, or does not fit the data.</exception>
    public static SafeTensorsHeader Parse(ReadOnlyMemory<byte> json, long dataBytes)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
            var entries = new List<SafeTensorsEntry>();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.Name == MetadataKey)
                    foreach (var text in property.Value.EnumerateObject()) metadata[text.Name] = text.Value.GetString() ?? "";
                else
                    entries.Add(Entry(property.Name, property.Value));
            }

            CheckCover(entries, dataBytes);
            return new SafeTensorsHeader(entries, metadata);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or OverflowException)
        {
            throw Damaged($"its header is not what a safetensors file has ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>The header as bytes, padded with blanks to a multiple of 8 so that the data is aligned.</summary>
    public byte[] ToBytes()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject(MetadataKey);
            foreach (var (key, value) in Metadata) json.WriteString(key, value);
            json.WriteEndObject();
            foreach (var entry in Entries)
            {
                json.WriteStartObject(entry.Name);
                json.WriteString("dtype", SafeTensorsType.NameOf(entry.Type, entry.Name));
                WriteArray(json, "shape", entry.Shape);
                WriteArray(json, "data_offsets", [entry.Begin, entry.End]);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (buffer.Length % 8 != 0) buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }

    public static QuantizedFileException Damaged(string found, Exception? inner = null) =>
        new($"The file is damaged or of another kind: {found}. Expected a safetensors file; get it again, or write it again (quantization.save, or save_file of safetensors in Python).", inner);

    private static void WriteArray(Utf8JsonWriter json, string name, IEnumerable<long> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) json.WriteNumberValue(value);
        json.WriteEndArray();
    }

    private static SafeTensorsEntry Entry(string name, JsonElement value)
    {
        var typeName = value.GetProperty("dtype").GetString() ?? "";
        if (!SafeTensorsType.TryFind(typeName, out var type, out var size))
            throw Damaged($"the tensor '{name}' has the element type '{typeName}', where {SafeTensorsType.Names} are known");
        long[] shape = [.. value.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64())];
        var offsets = value.GetProperty("data_offsets");
        var entry = new SafeTensorsEntry(name, type, shape, offsets[0].GetInt64(), offsets[1].GetInt64());
        var bytes = shape.Aggregate((long)size, (product, d) => d < 0 ? throw Damaged($"the tensor '{name}' has the negative size {d}") : checked(product * d));
        if (offsets.GetArrayLength() != 2 || entry.Begin < 0 || entry.End - entry.Begin != bytes)
            throw Damaged(string.Create(CultureInfo.InvariantCulture,
                $"the tensor '{name}' of shape [{string.Join(", ", shape)}] needs {bytes} bytes, but stands at [{entry.Begin}, {entry.End})"));
        return entry;
    }

    private static void CheckCover(List<SafeTensorsEntry> entries, long dataBytes)
    {
        long covered = 0;
        foreach (var entry in entries.OrderBy(e => e.Begin).ThenBy(e => e.End))
        {
            if (entry.Begin != covered) throw Damaged($"the tensor '{entry.Name}' begins at byte {entry.Begin} of the data, where {covered} was expected");
            covered = entry.End;
        }

        if (covered != dataBytes) throw Damaged($"its tensors need {covered} bytes, and it holds {dataBytes}: it may be cut off");
    }
}
