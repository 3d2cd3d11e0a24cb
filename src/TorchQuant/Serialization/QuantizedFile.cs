using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using TorchQuant.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Serialization;

/// <summary>What the file of a quantized model says besides its tensors, as strings in the safetensors header: format, version, the quantized modules with their
/// kinds and options, which modules are Identity because they were fused away, and which names share one tensor.</summary>
/// <param name="Modules">Dotted path to kind and options of each quantized module.</param>
/// <param name="Identities">Dotted paths of the modules that are Identity: what was fused into the module before it.</param>
/// <param name="Tied">Further name to first name, of tensors that several float modules share.</param>
internal sealed record QuantizedFile(IReadOnlyDictionary<string, QuantizedFile.Module> Modules, IReadOnlyList<string> Identities, IReadOnlyDictionary<string, string> Tied)
{
    private const string Format = "torchquant";
    private const int Version = 1;

    /// <summary>How a quantized module is rebuilt.</summary>
    internal sealed record Module(string Kind, IReadOnlyDictionary<string, string> Options);

    /// <summary>The strings for the header.</summary>
    public Dictionary<string, string> ToMetadata() => new()
    {
        ["format"] = Format,
        ["version"] = $"{Version}",
        ["modules"] = JsonSerializer.Serialize(Modules, QuantizedFileJson.Default.IReadOnlyDictionaryStringModule),
        ["identity"] = JsonSerializer.Serialize(Identities, QuantizedFileJson.Default.IReadOnlyListString),
        ["tied"] = JsonSerializer.Serialize(Tied, QuantizedFileJson.Default.IReadOnlyDictionaryStringString),
    };

    /// <summary>Reads them back.</summary>
    /// <exception cref="QuantizedFileException">They are another program's, a newer version's, or damaged.</exception>
    public static QuantizedFile FromMetadata(IReadOnlyDictionary<string, string> metadata)
    {
        var format = metadata.GetValueOrDefault("format");
        if (format != Format)
            throw new QuantizedFileException(
                $"The file's format is {(format is null ? "not stated" : $"'{format}'")}; expected '{Format}'. Read plain weights with SafeTensors.Read, or write the file with quantization.save.");
        var version = metadata.GetValueOrDefault("version");
        if (version != $"{Version}")
            throw new QuantizedFileException(
                $"The file has version {version ?? "(none)"}; this TorchQuant reads version {Version}. Install the TorchQuant that wrote it, or write it again with this one.");
        try
        {
            return new QuantizedFile(
                Require(metadata, "modules", QuantizedFileJson.Default.IReadOnlyDictionaryStringModule),
                metadata.ContainsKey("identity") ? Require(metadata, "identity", QuantizedFileJson.Default.IReadOnlyListString) : [], // files written before there was static quantization
                Require(metadata, "tied", QuantizedFileJson.Default.IReadOnlyDictionaryStringString));
        }
        catch (JsonException e)
        {
            throw SafeTensorsHeader.Damaged($"its list of modules cannot be read ({e.Message})", e);
        }
    }

    /// <summary>The tensors of one module, named relative to it.</summary>
    public static Dictionary<string, Tensor> StateOf(string path, IReadOnlyDictionary<string, Tensor> tensors) => tensors
        .Where(t => IsBelow(t.Key, path))
        .ToDictionary(t => t.Key[(path.Length + 1)..], t => t.Value, StringComparer.Ordinal);

    /// <summary>Whether a tensor's name belongs to one of the quantized modules.</summary>
    public bool Covers(string name) => Modules.Keys.Any(path => IsBelow(name, path));

    private static bool IsBelow(string name, string path) => name.Length > path.Length && name[path.Length] == '.' && name.StartsWith(path, StringComparison.Ordinal);

    private static T Require<T>(IReadOnlyDictionary<string, string> metadata, string key, JsonTypeInfo<T> type) =>
        metadata.TryGetValue(key, out var json) && JsonSerializer.Deserialize(json, type) is { } value
            ? value
            : throw SafeTensorsHeader.Damaged($"its header has no '{key}'");

    /// <summary>What a model's quantized modules are, and all its tensors; those of the last list are new and the caller's to dispose.</summary>
    public static (QuantizedFile File, List<KeyValuePair<string, Tensor>> Tensors, List<Tensor> Owned) Of(nn.Module model)
    {
        if (model is IQuantizedModule)
            throw new ArgumentException($"The model itself is a {model.GetType().Name}; a file names modules by their path in a model. Put it into a Sequential.", nameof(model));
        var walk = ModuleTree.Walk(model);
        var modules = new Dictionary<string, Module>(StringComparer.Ordinal);
        var tensors = new List<KeyValuePair<string, Tensor>>();
        var owned = new List<Tensor>();
        foreach (var (path, module) in walk)
        {
            if (module is not IQuantizedModule quantized) continue;
            modules[path] = new Module(quantized.Kind, quantized.Options);
            foreach (var (name, tensor) in quantized.ExportState())
            {
                owned.Add(tensor);
                tensors.Add(new(PackedState.Join(path, name), tensor));
            }
        }

        var state = ModelState.Of(walk);
        tensors.AddRange(state.Tensors);
        string[] identities = [.. walk.Where(m => m.Module is TorchSharp.Modules.Identity).Select(m => m.Path)];
        return (new QuantizedFile(modules, identities, state.Tied), tensors, owned);
    }
}

/// <summary>Made at build time: file-based apps and trimmed programs have no serialization by reflection.</summary>
[JsonSerializable(typeof(IReadOnlyDictionary<string, QuantizedFile.Module>))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
internal sealed partial class QuantizedFileJson : JsonSerializerContext;
