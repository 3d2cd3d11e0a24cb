using System.Buffers.Binary;
using TorchQuant.Serialization;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Reads and writes named tensors in the safetensors format, which PyTorch users read with the package of that name: 8 bytes length of the header
/// (little-endian), a JSON header, then the plain bytes of the tensors. Nothing in such a file is ever executed.
/// </summary>
public static class SafeTensors
{
    private const int LengthBytes = sizeof(ulong);
    private const int ChunkBytes = 1 << 20;

    /// <summary>Writes tensors to a file. The file appears whole or not at all: it is written beside its place and then moved.</summary>
    /// <param name="path">The file; one that exists is replaced.</param>
    /// <param name="tensors">Name and tensor; borrowed. Float, integer and boolean types; not quantized tensors.</param>
    /// <param name="metadata">Strings for the header.</param>
    /// <exception cref="ArgumentException">A name stands twice, or a tensor has a type that the format cannot hold.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var draft = $"{path}.{Environment.ProcessId}.{Environment.CurrentManagedThreadId}.tmp";
        try
        {
            using (var stream = File.Create(draft)) Write(stream, tensors, metadata);
            File.Move(draft, path, overwrite: true);
        }
        finally
        {
            File.Delete(draft);
        }
    }

    /// <summary>Writes tensors to a stream: see the overload for files.</summary>
    /// <param name="stream">Where to write; stays open.</param>
    /// <param name="tensors">Name and tensor; borrowed.</param>
    /// <param name="metadata">Strings for the header.</param>
    /// <exception cref="ArgumentException">A name stands twice, or a tensor has a type that the format cannot hold.</exception>
    public static void Write(Stream stream, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensors);
        var all = tensors.ToList();
        if (all.GroupBy(t => t.Key, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new ArgumentException($"The name '{twice.Key}' stands {twice.Count()} times; names must be unique.", nameof(tensors));

        var entries = new List<SafeTensorsEntry>(all.Count);
        long end = 0;
        foreach (var (name, tensor) in all)
        {
            var begin = end;
            end += checked(tensor.numel() * tensor.element_size());
            entries.Add(new SafeTensorsEntry(name, tensor.dtype, tensor.shape, begin, end));
        }

        var header = new SafeTensorsHeader(entries, metadata ?? new Dictionary<string, string>()).ToBytes();
        Span<byte> length = stackalloc byte[LengthBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var (_, tensor) in all) WriteData(stream, tensor);
    }

    /// <summary>Reads all tensors of a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="QuantizedFileException">The file is damaged or of another kind.</exception>
    public static SafeTensorsFile Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var stream = File.OpenRead(path);
        return Naming(path, () => Read(stream));
    }

    /// <summary>Reads all tensors of a stream, to its end.</summary>
    /// <param name="stream">A stream that can seek, at the beginning of the data; stays open.</param>
    /// <exception cref="QuantizedFileException">The data is damaged or of another kind.</exception>
    public static SafeTensorsFile Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var available = stream.Length - stream.Position;
        if (available < LengthBytes) throw SafeTensorsHeader.Damaged($"it has {available} bytes");
        Span<byte> lengthBytes = stackalloc byte[LengthBytes];
        stream.ReadExactly(lengthBytes);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(lengthBytes);
        available -= LengthBytes;
        if (length > SafeTensorsHeader.MaxBytes || length > (ulong)available)
            throw SafeTensorsHeader.Damaged($"its first 8 bytes announce a header of {length} bytes, and {available} follow");
        var json = new byte[length];
        stream.ReadExactly(json);
        var header = SafeTensorsHeader.Parse(json, available - (long)length);

        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            var dataStart = stream.Position;
            foreach (var entry in header.Entries)
            {
                stream.Position = dataStart + entry.Begin;
                if (!tensors.TryAdd(entry.Name, ReadTensor(stream, entry)))
                    throw SafeTensorsHeader.Damaged($"the tensor '{entry.Name}' stands twice");
            }

            return new SafeTensorsFile(tensors, header.Metadata);
        }
        catch
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
            throw;
        }
    }

    /// <summary>Runs a reading and puts the file's name before what it finds wrong.</summary>
    internal static T Naming<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (QuantizedFileException e)
        {
            throw new QuantizedFileException($"{path}: {e.Message}", e.InnerException);
        }
    }

    private static void WriteData(Stream stream, Tensor tensor)
    {
        using var detached = tensor.detach();
        using var here = detached.cpu();
        using var plain = here.contiguous();
        using var flat = plain.view(-1);
        foreach (var (begin, count) in Chunks(plain.numel(), plain.element_size()))
        {
            using var part = flat.narrow(0, begin, count);
            stream.Write(part.bytes);
        }
    }

    private static Tensor ReadTensor(Stream stream, SafeTensorsEntry entry)
    {
        var tensor = empty(entry.Shape, dtype: entry.Type, device: CPU).DetachFromDisposeScope();
        using var flat = tensor.view(-1);
        foreach (var (begin, count) in Chunks(tensor.numel(), tensor.element_size()))
        {
            using var part = flat.narrow(0, begin, count);
            stream.ReadExactly(part.bytes);
        }

        return tensor;
    }

    // Tensor.bytes counts in an int, so large tensors pass in pieces.
    private static IEnumerable<(long Begin, long Count)> Chunks(long elements, long elementBytes)
    {
        var most = ChunkBytes / elementBytes;
        for (long begin = 0; begin < elements; begin += most) yield return (begin, Math.Min(most, elements - begin));
    }
}
