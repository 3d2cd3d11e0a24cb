using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Models;

/// <summary>
/// Writes named tensors as torch.jit.save writes a module that holds them: a zip archive with a class for each module (code/), the pickled module (data.pkl), the bytes of its tensors (data/),
/// no constants, and the version. The module has no methods.
/// </summary>
internal sealed class TorchScriptArchive
{
    private const string Root = "archive";

    private readonly StringBuilder _code = new();
    private readonly List<byte> _pickle = [];
    private readonly List<byte[]> _storages = [];
    private int _classes;

    /// <param name="path">The file.</param>
    /// <param name="parameters">By dotted names.</param>
    /// <param name="buffers">By dotted names.</param>
    public static void Write(string path, IEnumerable<(string Name, Tensor Tensor)> parameters, IEnumerable<(string Name, Tensor Tensor)> buffers)
    {
        var root = new Node();
        foreach (var (name, tensor) in parameters) root.Add(name, tensor, isParameter: true);
        foreach (var (name, tensor) in buffers) root.Add(name, tensor, isParameter: false);
        var archive = new TorchScriptArchive();
        archive._pickle.AddRange([(byte)0x80, 2]);
        archive.Module(root);
        archive.Op('.');

        using var zip = ZipFile.Open(path, ZipArchiveMode.Create);
        Entry(zip, "data.pkl", archive._pickle.ToArray());
        Entry(zip, "code/__torch__.py", Encoding.UTF8.GetBytes(archive._code.ToString()));
        for (var i = 0; i < archive._storages.Count; i++) Entry(zip, $"data/{i}", archive._storages[i]);
        Entry(zip, "constants.pkl", [0x80, 2, (byte)')', (byte)'.']);
        Entry(zip, "version", "3\n"u8.ToArray());
    }

    public static void Entry(ZipArchive zip, string name, byte[] content)
    {
        using var stream = zip.CreateEntry($"{Root}/{name}", CompressionLevel.NoCompression).Open();
        stream.Write(content);
    }

    /// <summary>Pickles an object and puts its class, after those of its children, into the code.</summary>
    private void Module(Node node)
    {
        var name = $"Module{_classes++}";
        var annotations = new List<string>();
        Global("__torch__", name);
        Op(')');
        Op(0x81); // NEWOBJ
        Op('}');
        Op('(');
        foreach (var (key, (tensor, _)) in node.Tensors)
        {
            Text(key);
            Data(tensor);
            annotations.Add($"  {key} : Tensor");
        }

        Text("training");
        Op(0x88); // True
        annotations.Add("  training : bool");
        annotations.Add("  __annotations__ = []");
        foreach (var (key, child) in node.Children)
        {
            Text(key);
            annotations.Add($"  __annotations__[\"{key}\"] = __torch__.Module{_classes}");
            Module(child);
        }

        Op('u');
        Op('b');
        _code.Append("class ").Append(name).Append("(Module):\n");
        _code.Append("  __parameters__ = [").Append(Names(node, parameters: true)).Append("]\n");
        _code.Append("  __buffers__ = [").Append(Names(node, parameters: false)).Append("]\n");
        foreach (var annotation in annotations) _code.Append(annotation).Append('\n');
    }

    private static string Names(Node node, bool parameters) => string.Concat(node.Tensors.Where(t => t.Value.IsParameter == parameters).Select(t => $"\"{t.Key}\", "));

    /// <summary>A call of torch._utils._rebuild_tensor_v2 with the storage, offset, sizes, strides, requires_grad and no hooks.</summary>
    private void Data(Tensor tensor)
    {
        using var plain = tensor.detach().contiguous();
        Global("torch._utils", "_rebuild_tensor_v2");
        Op('(');
        Op('(');
        Text("storage");
        Global("torch", tensor.dtype switch
        {
            ScalarType.Float32 => "FloatStorage",
            ScalarType.Float16 => "HalfStorage",
            ScalarType.BFloat16 => "BFloat16Storage",
            ScalarType.Int64 => "LongStorage",
            var other => throw new ArgumentException($"{other}"),
        });
        Text($"{_storages.Count}");
        Text("cpu");
        Number(plain.numel());
        Op('t');
        Op('Q');
        Number(0);
        Numbers(plain.shape);
        Numbers(plain.stride());
        Op(0x89); // False
        Global("collections", "OrderedDict");
        Op(')');
        Op('R');
        Op('t');
        Op('R');
        using var flat = plain.view(-1);
        _storages.Add(flat.bytes.ToArray());
    }

    private void Op(int code) => _pickle.Add((byte)code);

    private void Global(string module, string name) => _pickle.AddRange(Encoding.UTF8.GetBytes($"c{module}\n{name}\n"));

    private void Text(string text)
    {
        Op('X');
        Int32(Encoding.UTF8.GetByteCount(text));
        _pickle.AddRange(Encoding.UTF8.GetBytes(text));
    }

    private void Number(long number)
    {
        Op('J');
        Int32(checked((int)number));
    }

    private void Numbers(long[] numbers)
    {
        Op('(');
        foreach (var number in numbers) Number(number);
        Op('t');
    }

    private void Int32(int number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        _pickle.AddRange(bytes);
    }

    private sealed class Node
    {
        public Dictionary<string, (Tensor Tensor, bool IsParameter)> Tensors { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, Node> Children { get; } = new(StringComparer.Ordinal);

        public void Add(string name, Tensor tensor, bool isParameter)
        {
            if (name.Split('.', 2) is not [var child, var rest])
            {
                Tensors.Add(name, (tensor, isParameter));
                return;
            }

            if (!Children.TryGetValue(child, out var node)) Children[child] = node = new Node();
            node.Add(rest, tensor, isParameter);
        }
    }
}
