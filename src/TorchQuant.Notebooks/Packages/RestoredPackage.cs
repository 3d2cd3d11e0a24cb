using System.Text.Json;

namespace TorchQuant.Notebooks.Packages;

/// <summary>A package on disk, with the files that this runtime and platform use of it.</summary>
internal sealed record RestoredPackage(string Id, string Version, string Folder, IReadOnlyList<string> Managed, IReadOnlyList<string> Native)
{
    /// <summary>Reads NuGet's lock file (<c>project.assets.json</c>) of a restore for one runtime identifier.</summary>
    public static IReadOnlyList<RestoredPackage> ReadAssets(string file, string rid)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(file));
        var root = json.RootElement;
        var folders = root.GetProperty("packageFolders").EnumerateObject().Select(folder => folder.Name).ToArray();
        var target = root.GetProperty("targets").EnumerateObject().First(t => t.Name.EndsWith("/" + rid, StringComparison.Ordinal)).Value;
        var packages = new List<RestoredPackage>();
        foreach (var library in target.EnumerateObject())
        {
            var described = root.GetProperty("libraries").GetProperty(library.Name);
            if (described.GetProperty("type").GetString() != "package") continue;
            var path = described.GetProperty("path").GetString()!;
            var folder = folders.Select(f => Path.Combine(f, path)).FirstOrDefault(Directory.Exists) ?? Path.Combine(folders[0], path);
            var name = library.Name.Split('/');
            packages.Add(new RestoredPackage(name[0], name[1], folder, Files(library.Value, "runtime", folder), Files(library.Value, "native", folder)));
        }
        return packages;
    }

    private static string[] Files(JsonElement library, string kind, string folder) => library.TryGetProperty(kind, out var files)
        ? [.. files.EnumerateObject().Where(f => !f.Name.EndsWith("_._", StringComparison.Ordinal)).Select(f => Path.GetFullPath(Path.Combine(folder, f.Name)))]
        : [];
}
