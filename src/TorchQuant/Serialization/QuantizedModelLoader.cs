using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Serialization;

/// <summary>Puts what a file holds into a model: everything is checked before anything is changed.</summary>
internal sealed class QuantizedModelLoader(nn.Module model, SafeTensorsFile content)
{
    private readonly QuantizedFile _file = QuantizedFile.FromMetadata(content.Metadata);
    private readonly List<string> _problems = [];

    /// <returns>What was replaced.</returns>
    /// <exception cref="QuantizedFileException">The file is damaged or of another model.</exception>
    /// <exception cref="ModuleReplacementException">The model's fields cannot hold the quantized modules.</exception>
    public IReadOnlyList<ModuleReplacement> Load(bool hookFallback)
    {
        var walk = ModuleTree.Walk(model);
        var modules = walk.ToDictionary(m => m.Path, m => m.Module, StringComparer.Ordinal);
        CheckModules(modules);
        var targets = Targets(walk);
        var quantized = CreateModules();
        if (_problems.Count > 0)
        {
            foreach (var module in quantized.Values) module.Dispose();
            throw new QuantizedFileException($"The file does not fit {model.GetType().Name}; the model is unchanged:{string.Concat(_problems.Select(p => "\n  " + p))}");
        }

        var identities = _file.Identities.Where(path => modules[path] is not Identity).ToHashSet(StringComparer.Ordinal);
        var replaced = ModuleTree.Replace(model, (path, _) => quantized.GetValueOrDefault(path) ?? (identities.Contains(path) ? nn.Identity() : null), hookFallback);
        CalibrationHooks.Remove(ModuleTree.Walk(model).Select(m => m.Module));
        using var noGrad = no_grad();
        foreach (var (target, source) in targets) target.copy_(source);
        return replaced;
    }

    private void CheckModules(Dictionary<string, nn.Module> modules)
    {
        foreach (var (path, stored) in _file.Modules)
        {
            if (path.Length == 0 || !modules.TryGetValue(path, out var module))
                Missing(path, $"a {stored.Kind}");
            else if (module is not IQuantizedModule)
                CheckWeights(path, stored, module);
        }

        foreach (var path in _file.Identities)
            if (!modules.ContainsKey(path))
                Missing(path, "an Identity");

        void Missing(string path, string kind) => _problems.Add(
            $"{path}: the file has {kind} there and the model no module. Its modules: {string.Join(", ", modules.Keys.Where(p => p.Length > 0))}. Load it into a model of the class that was saved.");
    }

    /// <summary>A quantized module takes the place of a float one with the same weights: by name and shape, but for codes of 4 bits, two in a byte.</summary>
    private void CheckWeights(string path, QuantizedFile.Module file, nn.Module module)
    {
        var (kind, options) = (file.Kind, file.Options);
        if (ParametersOf(path, kind, options) is { } shapes)
        {
            CheckShapes(path, kind, shapes, module);
            return;
        }

        foreach (var (name, weight) in TorchSharpPrivates.Parameters(module))
        {
            var full = PackedState.Join(path, name);
            if (!content.Tensors.TryGetValue(full, out var stored))
                _problems.Add($"{full}: the model has {Describe(weight)} there and the file's {kind} none.");
            else if (!stored.shape.SequenceEqual(weight.shape) && !(stored.dtype == ScalarType.Byte && stored.shape.SequenceEqual([weight.shape[0], (weight.shape[^1] + 1) / 2])))
                _problems.Add($"{full}: the model has {Describe(weight)} there and the file {Describe(stored)}.");
        }
    }

    private static IReadOnlyDictionary<string, long[]>? ParametersOf(string path, string kind, IReadOnlyDictionary<string, string> options)
    {
        try
        {
            return QuantizedModules.FloatParameters(kind, options, path);
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            return null; // its options are damaged: making the module says so
        }
    }

    /// <summary>A module of parts has no parameters itself, and those of its parts go.</summary>
    private void CheckShapes(string path, string kind, IReadOnlyDictionary<string, long[]> shapes, nn.Module module)
    {
        var own = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, parameter) in TorchSharpPrivates.Parameters(module))
            own.Add(name, parameter);
        if (own.Count == 0)
            return;
        foreach (var name in own.Keys.Union(shapes.Keys))
        {
            var (found, expected) = (own.GetValueOrDefault(name), shapes.GetValueOrDefault(name));
            if (found is null || expected is null || !found.shape.SequenceEqual(expected))
                _problems.Add($"{PackedState.Join(path, name)}: the model has {(found is null ? "nothing" : Describe(found))} there and the file's {kind} {(expected is null ? "none" : $"[{string.Join(", ", expected)}]")}.");
        }
    }

    /// <summary>Each tensor of the model's float modules beside the file's tensor for it.</summary>
    private List<(Tensor Target, Tensor Source)> Targets(IReadOnlyList<(string Path, nn.Module Module)> walk)
    {
        List<string> replaced = [.. _file.Modules.Keys, .. _file.Identities];
        var kept = walk.Where(m => !replaced.Any(path => m.Path == path || m.Path.StartsWith(path + ".", StringComparison.Ordinal))).ToList();
        var state = ModelState.Of(kept);
        var sources = content.Tensors.Where(t => !_file.Covers(t.Key)).ToDictionary(t => t.Key, t => t.Value, StringComparer.Ordinal);
        foreach (var (name, first) in _file.Tied)
            if (sources.TryGetValue(first, out var shared)) sources.TryAdd(name, shared);

        var pairs = new List<(Tensor, Tensor)>();
        foreach (var (name, target) in state.Tensors)
        {
            if (!sources.TryGetValue(name, out var source))
                _problems.Add($"{name}: the model has {Describe(target)} there and the file no tensor.");
            else if (source.dtype != target.dtype || !source.shape.SequenceEqual(target.shape))
                _problems.Add($"{name}: the model has {Describe(target)} there and the file {Describe(source)}.");
            else
                pairs.Add((target, source));
        }

        foreach (var name in sources.Keys.Where(name => !state.Tensors.ContainsKey(name) && !state.Tied.ContainsKey(name)))
            _problems.Add($"{name}: the file has {Describe(sources[name])} there and the model nothing.");
        return pairs;
    }

    private Dictionary<string, nn.Module> CreateModules()
    {
        var modules = new Dictionary<string, nn.Module>(StringComparer.Ordinal);
        foreach (var (path, module) in _file.Modules)
        {
            try
            {
                modules[path] = QuantizedModules.Create(module.Kind, module.Options, QuantizedFile.StateOf(path, content.Tensors), path);
            }
            catch (Exception e) when (e is ArgumentException or OverflowException)
            {
                _problems.Add(e.Message);
            }
        }

        return modules;
    }

    private static string Describe(Tensor tensor) => $"{tensor.dtype} [{string.Join(", ", tensor.shape)}]";
}
