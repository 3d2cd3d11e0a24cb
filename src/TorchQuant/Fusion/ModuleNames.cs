using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>Finds the modules of a model by their dotted names.</summary>
internal sealed class ModuleNames
{
    private const int Listed = 20; // names in a message: enough to find a slip, few enough to read

    private readonly Dictionary<string, nn.Module> _byPath = new(StringComparer.Ordinal);
    private readonly nn.Module _root;

    public ModuleNames(nn.Module root, IEnumerable<(string Path, nn.Module Module)> modules)
    {
        _root = root;
        foreach (var (path, module) in modules)
            if (path.Length > 0) _byPath.TryAdd(path, module);
    }

    /// <summary>The module of that name, also where a shared module has several; or null.</summary>
    public nn.Module? Find(string name)
    {
        if (_byPath.TryGetValue(name, out var module)) return module;
        module = _root;
        foreach (var part in name.Split('.'))
            if ((module = module?.named_children().FirstOrDefault(c => c.name == part).module) is null) return null;
        return module;
    }

    /// <summary>Says of a name that it does not exist, and which do at the place where the path ends.</summary>
    public string Missing(string name)
    {
        var parent = name;
        do
        {
            var dot = parent.LastIndexOf('.');
            parent = dot < 0 ? "" : parent[..dot];
        }
        while (parent.Length > 0 && Find(parent) is null);
        var prefix = parent.Length == 0 ? "" : parent + ".";
        var there = _byPath.Keys.Where(p => p.StartsWith(prefix, StringComparison.Ordinal) && !p[prefix.Length..].Contains('.', StringComparison.Ordinal)).ToList();
        var more = there.Count > Listed ? $" and {there.Count - Listed} more" : "";
        return $"'{name}': there is no such module; {(parent.Length == 0 ? "the model" : parent)} has {(there.Count == 0 ? "no modules" : string.Join(", ", there.Take(Listed)))}{more}";
    }
}
