using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Decides the qconfig of every module of a model as PyTorch's <c>propagate_qconfig_</c> does: a module's own qconfig, else the entry of its name, else
/// the entry of its exact type, else what the module around it has.</summary>
internal sealed class QConfigPropagation
{
    private readonly Dictionary<string, Decision> _decisions = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<(string Path, nn.Module Module)> _modules;
    private readonly IReadOnlyDictionary<QConfigSpec.Target, QConfig?> _entries;
    private readonly IReadOnlyCollection<Type> _types;
    private readonly string _argument;

    /// <summary>Decides for every module; the model is only read.</summary>
    /// <param name="model">The model.</param>
    /// <param name="entries">Types and names with their qconfig; null leaves float.</param>
    /// <param name="types">The types that can be quantized.</param>
    /// <param name="argument">What the entries are called, for messages.</param>
    public QConfigPropagation(nn.Module model, IReadOnlyDictionary<QConfigSpec.Target, QConfig?> entries, IReadOnlyCollection<Type> types, string argument)
    {
        _modules = ModuleTree.Walk(model);
        _entries = entries;
        _types = types;
        _argument = argument;
        foreach (var (path, module) in _modules)
            _decisions[path] = Decide(path, module);
    }

    /// <summary>The qconfig of every module, containers too, by dotted path; null leaves float.</summary>
    public IReadOnlyDictionary<string, QConfig?> Decisions => _decisions.ToDictionary(d => d.Key, d => d.Value.QConfig, StringComparer.Ordinal);

    /// <summary>The modules to quantize, by their dotted path.</summary>
    public IReadOnlyDictionary<string, QConfig> Planned => _modules.Where(IsQuantized).ToDictionary(m => m.Path, m => _decisions[m.Path].QConfig!, StringComparer.Ordinal);

    /// <summary>The modules to quantize, by their dotted path.</summary>
    /// <param name="isDefault">Whether the entries are the defaults of a dtype, of which a model need not have all.</param>
    /// <exception cref="ArgumentException">An entry matches nothing or nothing that can be quantized, nothing is to be quantized, or the model itself is.</exception>
    public IReadOnlyDictionary<string, QConfig> Plan(bool isDefault)
    {
        if (IsQuantized(_modules[0]))
            throw new ArgumentException(
                $"The model is itself a {_modules[0].Module.GetType().Name}, and only modules inside a model can be replaced: hold it in a module, for example nn.Sequential((\"0\", model)), " +
                "or make the quantized module directly with its from_float.");
        var planned = Planned;
        var problems = isDefault ? [] : UnusedEntries();
        if (problems.Count == 0 && planned.Count == 0)
            problems.Add($"no module of the model is to be quantized. {Inventory()}");
        if (problems.Count > 0)
            throw new ArgumentException($"The model is unchanged, because of its {_argument}: {string.Join("; ", problems)}");
        return planned;
    }

    /// <summary>Refuses entries that decide nothing.</summary>
    /// <exception cref="ArgumentException">There are such.</exception>
    public void RequireUsedEntries()
    {
        if (UnusedEntries() is { Count: > 0 } problems)
            throw new ArgumentException($"The model is unchanged, because of its {_argument}: {string.Join("; ", problems)}");
    }

    private Decision Decide(string path, nn.Module module)
    {
        if (ModuleQConfig.TryGet(module, out var own))
            return new Decision(own, null);
        if (_entries.TryGetValue(new(path), out var byName))
            return new Decision(byName, new(path));
        foreach (var (target, byPattern) in _entries)
            if (target.Pattern is not null && path.Length > 0 && target.IsAbout(path, module.GetType()))
                return new Decision(byPattern, target);
        QConfigSpec.Target type = new(module.GetType());
        return _entries.TryGetValue(type, out var byType) ? new Decision(byType, type) : Around(path);
    }

    /// <summary>The decision for the nearest module around: elements of lists have paths whose last but one part is a field, not a module.</summary>
    private Decision Around(string path)
    {
        while (path.Length > 0)
        {
            path = path.LastIndexOf('.') is var dot and >= 0 ? path[..dot] : "";
            if (_decisions.TryGetValue(path, out var decision))
                return decision;
        }
        return new Decision(null, null);
    }

    private bool IsQuantized((string Path, nn.Module Module) item) =>
        _decisions[item.Path].QConfig is not null && _types.Contains(item.Module.GetType());

    /// <summary>Whether the module or one in it is quantized, by whichever entry: a container that is named beside its modules is no mistake.</summary>
    private bool HoldsQuantized((string Path, nn.Module Module) item) =>
        _modules.Any(m => IsQuantized(m) && (item.Path.Length == 0 || m.Path == item.Path || m.Path.StartsWith(item.Path + ".", StringComparison.Ordinal)));

    private List<string> UnusedEntries()
    {
        var problems = new List<string>();
        foreach (var (target, qconfig) in _entries)
        {
            var decided = _modules.Where(m => _decisions[m.Path].Entry == target).ToList();
            if (!_modules.Any(m => target.IsAbout(m.Path, m.Module.GetType())))
                problems.Add(target.Type is not null
                    ? $"no module is exactly a {target}. {Inventory()}"
                    : $"no module has {(target.Name is null ? "a name that matches" : "the name")} {target}. The names are {string.Join(", ", _modules.Skip(1).Select(m => m.Path))}");
            else if (qconfig is not null && decided.Count > 0 && !decided.Any(HoldsQuantized))
                problems.Add(
                    $"{target} decides for {string.Join(", ", decided.Select(Name))}, none of which can be quantized: the mapping has {string.Join(", ", _types.Select(t => t.Name).Order(StringComparer.Ordinal))}");
        }
        return problems;
    }

    private string Inventory()
    {
        var groups = _modules.Skip(1).GroupBy(m => m.Module.GetType().Name).Select(g => $"{g.Key} ({string.Join(", ", g.Take(5).Select(m => m.Path))}{(g.Count() > 5 ? ", ..." : "")})");
        return _modules.Count == 1 ? "The model has no modules in it" : $"The model has {string.Join(", ", groups)}";
    }

    private static string Name((string Path, nn.Module Module) item) => item.Path.Length == 0 ? $"the model ({item.Module.GetType().Name})" : $"{item.Path} ({item.Module.GetType().Name})";

    private readonly record struct Decision(QConfig? QConfig, QConfigSpec.Target? Entry);
}
