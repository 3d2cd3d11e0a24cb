using System.IO.Compression;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TorchQuant.Models;

/// <summary>Named tensors on the CPU, from a safetensors file or a TorchScript archive. Disposing it disposes them.</summary>
internal sealed class WeightsFile : IDisposable
{
    private const int HeadBytes = 9;

    private readonly IDisposable _owner;

    private WeightsFile(IDisposable owner, IReadOnlyDictionary<string, Tensor> tensors) => (_owner, Tensors) = (owner, tensors);

    public IReadOnlyDictionary<string, Tensor> Tensors { get; }

    /// <summary>Finds out what kind of file it is by its first bytes, and reads it.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="QuantizedFileException">It is of another kind, or damaged.</exception>
    public static WeightsFile Open(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no file {Path.GetFullPath(path)}. Weights come from torchvision in Python:\n  {FromPython("resnet18")}", path);
        Span<byte> head = stackalloc byte[HeadBytes];
        using (var stream = File.OpenRead(path)) head = head[..stream.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false)];
        if (head.StartsWith("PK\u0003\u0004"u8))
            return OpenZip(path);
        // 8 bytes of length, then JSON. Looked at before pickles: a header of 640 bytes begins as a pickle does.
        if (head.Length == HeadBytes && head[^1] == '{')
        {
            var content = SafeTensors.Read(path);
            return new WeightsFile(content, content.Tensors);
        }

        if (head is [0x80, >= 2 and <= 5, ..])
            throw IsPickle(path, "a Python pickle");
        throw new QuantizedFileException($"{path}: found a file that begins with the bytes {Convert.ToHexString(head)}, expected a safetensors file or a TorchScript archive. Weights come from torchvision in Python:\n  {FromPython("resnet18")}");
    }

    public void Dispose() => _owner.Dispose();

    private static WeightsFile OpenZip(string path)
    {
        if (!IsSoundTorchScript(path))
            throw IsPickle(path, "a zip archive without TorchScript code");
        jit.ScriptModule module;
        try
        {
            module = jit.load(path);
        }
        catch (ExternalException e)
        {
            throw Damaged(path, e.Message.Split('\n')[0], e);
        }

        // The module owns its tensors.
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, parameter) in module.named_parameters()) tensors[name] = parameter;
        foreach (var (name, buffer) in module.named_buffers()) tensors[name] = buffer;
        return new WeightsFile(module, tensors);
    }

    /// <summary>Whether the archive is TorchScript, whole and undamaged.</summary>
    private static bool IsSoundTorchScript(string path)
    {
        try
        {
            using var archive = ZipFile.OpenRead(path);
            // One folder, of any name, with code/ and constants.pkl; a file of torch.save has data.pkl alone.
            var names = archive.Entries.Select(e => e.FullName.Split('/')).ToList();
            if (!names.Any(n => n is [_, "code", ..]) || !names.Any(n => n is [_, "constants.pkl"]))
                return false;
            // libtorch does not look at the checksums, and ends the process where code is damaged.
            foreach (var entry in archive.Entries)
            {
                using var stream = entry.Open();
                var checksum = Crc32.Of(stream);
                if (checksum != entry.Crc32)
                    throw new InvalidDataException($"{entry.FullName} has the CRC-32 {checksum:x8} where the archive says {entry.Crc32:x8}");
            }

            return true;
        }
        catch (InvalidDataException e)
        {
            throw Damaged(path, e.Message, e);
        }
    }

    private static QuantizedFileException Damaged(string path, string found, Exception inner) => new(
        $"{path}: found a damaged TorchScript archive ({found.TrimEnd('.')}), expected what torch.jit.script(model).save(path) writes. Get the file again, or write it again.", inner);

    private static QuantizedFileException IsPickle(string path, string found) => new(
        $"{path}: found {found}, as torch.save writes (.pth), expected a safetensors file or a TorchScript archive: a pickle runs code when it is read. Convert it once, in Python:\n  "
        + $"python -c \"import torch, safetensors.torch as s; s.save_file(torch.load('{Path.GetFileName(path)}', map_location='cpu', weights_only=True), '{Path.GetFileNameWithoutExtension(path)}.safetensors')\"");

    private static string FromPython(string model) =>
        $"python -c \"import torchvision, safetensors.torch as s; s.save_file(torchvision.models.{model}(weights='DEFAULT').state_dict(), '{model}.safetensors')\"";
}
