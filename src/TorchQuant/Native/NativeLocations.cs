using System.Reflection;

namespace TorchQuant.Native;

/// <summary>Where the native libraries of TorchSharp may lie: the application's own folders, then the NuGet cache that TorchSharp came from.</summary>
internal sealed class NativeLocations
{
    private const string Runtime = "runtimes/linux-x64/native";
    private const string LibTorchPackage = "libtorch-cpu-linux-x64";

    private readonly List<string> _folders = [];

    public NativeLocations(Assembly torchSharp)
    {
        AddApplicationFolders();
        AddPackageFolders(torchSharp);
    }

    public IReadOnlyList<string> Folders => _folders;

    public string? Find(string file) => _folders.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists);

    private void AddApplicationFolders()
    {
        if (Environment.GetEnvironmentVariable("TORCHQUANT_NATIVE") is { Length: > 0 } chosen) Add(chosen);
        if (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") is string search)
            foreach (var folder in search.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
                Add(folder);
        Add(AppContext.BaseDirectory);
        Add(Path.Combine(AppContext.BaseDirectory, Runtime));
    }

    private void AddPackageFolders(Assembly torchSharp)
    {
        // <cache>/torchsharp/<version>/lib/<framework>/TorchSharp.dll, when a script or notebook loads it from the NuGet cache.
        var assemblyFolder = Path.GetDirectoryName(torchSharp.Location);
        if (assemblyFolder is { Length: > 0 })
        {
            Add(assemblyFolder);
            var package = Path.GetFullPath(Path.Combine(assemblyFolder, "..", ".."));
            Add(Path.Combine(package, Runtime));
            AddLibTorch(Path.GetFullPath(Path.Combine(package, "..", "..")));
        }
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } set
            ? set
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var version = torchSharp.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];
        if (version is not null) Add(Path.Combine(cache, "torchsharp", version, Runtime));
        AddLibTorch(cache);
    }

    // The one libtorch that TorchSharp 0.107 is built against.
    private void AddLibTorch(string cache) => Add(Path.Combine(cache, LibTorchPackage, "2.10.0", Runtime));

    private void Add(string folder)
    {
        folder = Path.GetFullPath(folder);
        if (Directory.Exists(folder) && !_folders.Contains(folder)) _folders.Add(folder);
    }
}
