using System.IO.Compression;
using System.Text;
using TorchSharp;

namespace TorchQuant.Benchmarks.Peers.Torch;

/// <summary>
/// Writes a TorchScript archive, the zip file that torch.jit.save would write: libtorch's int8 operators take packed weights that TorchSharp cannot hold, but a script can.
/// The archive has one class of the given source, whose attributes start as None.
/// </summary>
internal static class TorchScriptArchive
{
    private const string ClassName = "Operators";

    /// <summary>Compiles a script.</summary>
    /// <param name="attributes">Name and TorchScript type of each attribute of type Optional.</param>
    /// <param name="methods">The methods' source as torch.jit.save writes it, not indented.</param>
    public static torch.jit.ScriptModule Load(IReadOnlyList<(string Name, string Type)> attributes, string methods)
    {
        string path = Path.Combine(Path.GetTempPath(), $"torchquant-{Environment.ProcessId}-{Guid.NewGuid():N}.pt");
        try
        {
            using (var zip = new ZipArchive(File.Create(path), ZipArchiveMode.Create))
            {
                Write(zip, "ops/data.pkl", Pickle(attributes));
                Write(zip, "ops/code/__torch__.py", Encoding.UTF8.GetBytes(Source(attributes, methods)));
                Write(zip, "ops/constants.pkl", [0x80, 2, (byte)')', (byte)'.']);
                Write(zip, "ops/version", "3\n"u8.ToArray());
            }

            torch.jit.ScriptModule module = torch.jit.load(path);
            module.eval();
            return module;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void Write(ZipArchive zip, string name, byte[] bytes)
    {
        using Stream entry = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
        entry.Write(bytes);
    }

    private static string Source(IReadOnlyList<(string Name, string Type)> attributes, string methods)
    {
        var source = new StringBuilder($"class {ClassName}(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n  _is_full_backward_hook : Optional[bool]\n");
        foreach ((string name, string type) in attributes)
            source.Append("  ").Append(name).Append(" : Optional[").Append(type).Append("]\n");
        foreach (string line in methods.ReplaceLineEndings("\n").Split('\n'))
            source.Append(line.Length == 0 ? "" : "  ").Append(line).Append('\n');
        return source.ToString();
    }

    /// <summary>Protocol 2 of Python's pickle: an object of the class with training = True and None for everything else.</summary>
    private static byte[] Pickle(IReadOnlyList<(string Name, string Type)> attributes)
    {
        var bytes = new List<byte> { 0x80, 2, (byte)'c' };
        bytes.AddRange(Encoding.ASCII.GetBytes($"__torch__\n{ClassName}\n"));
        // The empty tuple of arguments, "new object", an empty dictionary, and a mark where its items begin.
        bytes.AddRange([(byte)')', 0x81, (byte)'}', (byte)'(']);
        Name("training");
        bytes.Add(0x88);
        foreach (string name in attributes.Select(a => a.Name).Prepend("_is_full_backward_hook"))
        {
            Name(name);
            bytes.Add((byte)'N');
        }

        bytes.AddRange("ub."u8);
        return [.. bytes];

        void Name(string name)
        {
            bytes.Add((byte)'X');
            bytes.AddRange(BitConverter.GetBytes(name.Length));
            bytes.AddRange(Encoding.ASCII.GetBytes(name));
        }
    }
}
