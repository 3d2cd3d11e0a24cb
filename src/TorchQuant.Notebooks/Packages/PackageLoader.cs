using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Packages;

/// <summary>
/// Gives the runtime the files of restored packages when it asks for them, managed by name and native by library name. They load into the default
/// context, where a package's own calls to <c>Assembly.Load</c> and <c>NativeLibrary.Load</c> find each other as in an application.
/// </summary>
internal sealed class PackageLoader : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _managed = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _references = [];
    private readonly List<string> _native = [];
    private readonly List<string> _folders = [];

    public PackageLoader()
    {
        AssemblyLoadContext.Default.Resolving += Resolve;
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += ResolveNative;
    }

    public IReadOnlyCollection<string> References
    {
        get { lock (_gate) return [.. _references]; }
    }

    /// <summary>Makes the result of a restore of everything asked for so far the one that is used.</summary>
    /// <exception cref="CellException">An assembly is needed in another version than the one that the process already runs.</exception>
    public void Add(IReadOnlyList<RestoredPackage> packages)
    {
        var loaded = AppDomain.CurrentDomain.GetAssemblies().Where(a => !a.IsDynamic && a.Location.Length > 0)
            .GroupBy(a => a.GetName().Name!, StringComparer.OrdinalIgnoreCase).ToDictionary(g => g.Key, g => g.First(), StringComparer.OrdinalIgnoreCase);
        lock (_gate)
        {
            foreach (var package in packages)
            {
                foreach (var path in package.Managed) AddManaged(path, package, loaded);
                foreach (var path in package.Native)
                    if (!_native.Contains(path))
                        _native.Add(path);
            }
        }
    }

    /// <summary>Adds one file; other assemblies and native libraries are looked for in its folder.</summary>
    public void AddFile(string path)
    {
        lock (_gate)
        {
            var name = Path.GetFileNameWithoutExtension(path);
            if (_managed.TryGetValue(name, out var before)) _references.Remove(before);
            _managed[name] = path;
            _references.Add(path);
            var folder = Path.GetDirectoryName(path)!;
            if (!_folders.Contains(folder)) _folders.Add(folder);
        }
    }

    public void Dispose()
    {
        AssemblyLoadContext.Default.Resolving -= Resolve;
        AssemblyLoadContext.Default.ResolvingUnmanagedDll -= ResolveNative;
    }

    private void AddManaged(string path, RestoredPackage package, Dictionary<string, Assembly> loaded)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        if (HostReferences.Trusted.TryGetValue(name, out var own))
        {
            var (needed, running) = (AssemblyName.GetAssemblyName(path).Version, AssemblyName.GetAssemblyName(own).Version);
            if (needed > running)
                throw new CellException(
                    $"{package.Id} {package.Version} brings {name} {needed}, but this host runs on {name} {running} and cannot exchange it. Ask for an older version of {package.Id}.");
            if (!HostReferences.Files.Contains(own)) _references.Add(own);
            return;
        }
        if (_managed.TryGetValue(name, out var before) && before != path)
        {
            if (loaded.TryGetValue(name, out var running) && running.Location != path)
                throw new CellException(
                    $"{package.Id} {package.Version} brings another {name} than the one an earlier cell loaded ({running.Location}). " +
                    "Put the #r lines of both into the first cell.");
            _references.Remove(before);
        }
        _managed[name] = path;
        _references.Add(path);
    }

    private Assembly? Resolve(AssemblyLoadContext context, AssemblyName name)
    {
        lock (_gate)
        {
            if (name.Name is null) return null;
            if (!_managed.TryGetValue(name.Name, out var path))
                path = _folders.Select(folder => Path.Combine(folder, name.Name + ".dll")).FirstOrDefault(File.Exists);
            return path is null ? null : context.LoadFromAssemblyPath(path);
        }
    }

    private nint ResolveNative(Assembly asking, string name)
    {
        string[] names = [name, $"lib{name}.so", $"{name}.so", $"lib{name}.dylib", $"{name}.dll", $"lib{name}"];
        lock (_gate)
        {
            var beside = _folders.SelectMany(folder => new[] { folder, Path.Combine(folder, "runtimes", Platform.Rid, "native") })
                .SelectMany(folder => names.Select(file => Path.Combine(folder, file))).Where(File.Exists);
            foreach (var path in _native.Where(path => names.Contains(Path.GetFileName(path))).Concat(beside))
                if (NativeLibrary.TryLoad(path, out var handle))
                    return handle;
        }
        return 0;
    }
}
