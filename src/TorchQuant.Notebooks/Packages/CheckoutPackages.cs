using System.Security;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Packages;

/// <summary>
/// Inside TorchQuant's repository <c>#r "nuget: TorchQuant"</c> means the packages of this very checkout: what the notebook runs is what
/// would be shipped, built from the files as they are now.
/// <para>
/// NuGet keeps a version for ever once it has unpacked it, so packing version 0.1.0 again would go unnoticed. The packages are therefore packed
/// under a version that names their content: 0.1.0-local.h(hash of every source file they are built from). The same sources give the same
/// version, which is packed once; an edit gives a new version, which no cache can hold; two runs at a time share one lock and never a
/// half-written file; a notebook keeps for all its cells the version that its first cell got. The build has folders of its own (.cache/pack), so it does not disturb a build of the developer's.
/// </para>
/// </summary>
internal sealed class CheckoutPackages
{
    private const string Marker = "Toolkit.sln";
    private static readonly TimeSpan s_keep = TimeSpan.FromDays(1);

    private readonly string _root;
    private readonly Dictionary<string, string> _projects; // package id -> project file
    private string? _version;

    private CheckoutPackages(string root)
    {
        _root = root;
        _projects = Directory.EnumerateFiles(Path.Combine(root, "src"), "*.csproj", SearchOption.AllDirectories)
            .Where(file => Property(file, "IsPackable") == "true" && Property(file, "PackAsTool") != "true")
            .ToDictionary(file => Property(file, "PackageId") ?? Path.GetFileNameWithoutExtension(file), StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>The checkout that holds a folder, or null: a notebook elsewhere gets its packages as every user does.</summary>
    public static CheckoutPackages? Find(string folder)
    {
        for (var parent = new DirectoryInfo(folder); parent is not null; parent = parent.Parent)
            if (File.Exists(Path.Combine(parent.FullName, Marker)) && Directory.Exists(Path.Combine(parent.FullName, "src")))
                return new CheckoutPackages(parent.FullName);
        return null;
    }

    public bool Has(string id) => _projects.ContainsKey(id);

    /// <summary>Packs the packages of this checkout, when that has not been done, and asks for exactly those.</summary>
    /// <exception cref="CellException">A notebook names another version than the checkout's, or the sources do not build.</exception>
    public async Task<IReadOnlyCollection<PackageRequest>> SubstituteAsync(
        IReadOnlyCollection<PackageRequest> requests, Action<string> say, CancellationToken stop)
    {
        var own = requests.Where(request => Has(request.Id)).ToArray();
        if (own.Length == 0) return requests;
        var release = Property(Path.Combine(_root, "Directory.Build.props"), "VersionPrefix") ?? "1.0.0";
        foreach (var request in own)
            if (request.Version is { } version && version != release)
                throw new CellException($"#r \"nuget: {request}\": the sources here are version {release}. Inside the repository write that version, or none.");

        if (_version is null)
        {
            // All packages together, whichever is asked for: then they have one version, and a later cell can ask for another of them.
            var projects = Closure(_projects.Values);
            var version = $"{release}-local.h{Hash(projects)}";
            await PackAsync(projects, version, say, stop).ConfigureAwait(false);
            _version = version;
        }
        return [.. requests.Select(request => Has(request.Id) ? request with { Version = $"[{_version}]" } : request)];
    }

    // A package is built from its project and from those that it references.
    private static SortedSet<string> Closure(IEnumerable<string> projects)
    {
        var all = new SortedSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>(projects);
        while (open.TryPop(out var project))
        {
            if (!all.Add(project)) continue;
            foreach (var reference in XDocument.Load(project).Descendants("ProjectReference"))
                open.Push(Path.GetFullPath(((string?)reference.Attribute("Include") ?? "").Replace('\\', '/'), Path.GetDirectoryName(project)!));
        }
        return all;
    }

    private string Hash(IEnumerable<string> projects)
    {
        var shared = Directory.EnumerateFiles(_root).Where(file => Path.GetFileName(file) is not Marker);
        var sources = projects.SelectMany(project => Sources(new DirectoryInfo(Path.GetDirectoryName(project)!)));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in shared.Concat(sources).Order(StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(Path.GetRelativePath(_root, file).Replace('\\', '/') + "\n"));
            hash.AppendData(SHA256.HashData(File.ReadAllBytes(file)));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..12];
    }

    private static IEnumerable<string> Sources(DirectoryInfo folder) => folder.EnumerateFiles().Select(file => file.FullName)
        .Concat(folder.EnumerateDirectories().Where(child => child.Name is not ("bin" or "obj")).SelectMany(Sources));

    private async Task PackAsync(IReadOnlyCollection<string> projects, string version, Action<string> say, CancellationToken stop)
    {
        var feed = Directory.CreateDirectory(Path.Combine(_root, ".packages")).FullName;
        var work = Directory.CreateDirectory(Path.Combine(_root, ".cache", "pack")).FullName;
        bool Packed() => _projects.Keys.All(id => File.Exists(Path.Combine(feed, $"{id}.{version}.nupkg")));
        if (Packed()) return;

        say("Waiting for another run that packs this checkout");
        using var gate = await LockAsync(Path.Combine(work, "lock"), stop).ConfigureAwait(false);
        if (Packed()) return;
        say("Packing the packages of this checkout");
        var drop = Path.Combine(work, "drop");
        if (Directory.Exists(drop)) Directory.Delete(drop, recursive: true);
        var script = Path.Combine(work, "pack.proj");
        await File.WriteAllTextAsync(script, PackScript(projects), stop).ConfigureAwait(false);
        var (exitCode, output) = await DotnetTool.RunAsync(_root,
        [
            "msbuild", script, "-restore", "-t:Pack", "-nologo", "-v:q", "-p:Configuration=Release", $"-p:Version={version}", "-p:UseSharedCompilation=false",
            $"-p:PackageOutputPath={drop}", "-p:UseArtifactsOutput=true", $"-p:ArtifactsPath={Path.Combine(work, "artifacts")}",
        ], stop).ConfigureAwait(false);
        if (exitCode != 0) throw new CellException($"The packages of this checkout ({_root}) could not be packed:\n{DotnetTool.Errors(output)}");

        foreach (var package in Directory.EnumerateFiles(drop, "*.nupkg"))
            File.Move(package, Path.Combine(feed, Path.GetFileName(package)), overwrite: true);
        foreach (var old in new DirectoryInfo(feed).EnumerateFiles("*-local.h*.nupkg"))
            if (DateTime.UtcNow - old.LastWriteTimeUtc > s_keep) old.Delete();
        if (!Packed()) throw new CellException($"Packing this checkout gave no package of version {version} in {feed}:\n{output}");
    }

    private static string PackScript(IEnumerable<string> projects) => $"""
        <Project>
          <ItemGroup>
        {string.Join('\n', projects.Select(project => $"    <Projects Include=\"{SecurityElement.Escape(project)}\" />"))}
          </ItemGroup>
          <Target Name="Restore"><MSBuild Projects="@(Projects)" Targets="Restore" BuildInParallel="false" /></Target>
          <Target Name="Pack"><MSBuild Projects="@(Projects)" Targets="Pack" BuildInParallel="true" /></Target>
        </Project>
        """;

    private static async Task<FileStream> LockAsync(string path, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), stop).ConfigureAwait(false);
            }
        }
    }

    private static string? Property(string file, string name) =>
        File.Exists(file) ? XDocument.Load(file).Descendants(name).LastOrDefault()?.Value.Trim() : null;
}
