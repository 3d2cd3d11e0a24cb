using System.Diagnostics;
using System.Globalization;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Packages;

/// <summary>The packages and files that a notebook has asked for so far. Every restore is of all of them together, so that versions agree.</summary>
internal sealed class PackageSession(string folder) : IDisposable
{
    private static readonly TimeSpan s_tick = TimeSpan.FromSeconds(1);

    private readonly CheckoutPackages? _checkout = CheckoutPackages.Find(folder);
    private readonly List<PackageRequest> _requests = [];
    private readonly List<string> _sources = [];
    private readonly HashSet<string> _extended = new(StringComparer.OrdinalIgnoreCase);
    private readonly PackageLoader _loader = new();
    private IReadOnlyList<RestoredPackage> _packages = [];

    /// <summary>The managed files that cells may use, besides the runtime's.</summary>
    public IReadOnlyCollection<string> References => _loader.References;

    /// <summary>References a file, relative to the notebook's folder. What it needs is looked for beside it.</summary>
    /// <exception cref="CellException">There is no such file.</exception>
    public void AddFile(AssemblyRequest request)
    {
        var path = Path.GetFullPath(request.Path, folder);
        if (!File.Exists(path))
            throw new CellException($"#r \"{request.Path}\": there is no file {path}. If a project makes it, build that first; a package is referenced by #r \"nuget: Id\".", request.Line);
        _loader.AddFile(path);
    }

    /// <summary>Adds what a cell asks for and restores; says in <paramref name="output"/> what it is doing.</summary>
    /// <returns>The extension scripts of the packages that are new.</returns>
    /// <exception cref="CellException">A package cannot be had, or not any more in this process.</exception>
    public async Task<IReadOnlyList<ExtensionScript>> AddAsync(CellDirectives directives, ICellOutput output, CancellationToken stop)
    {
        var before = (Requests: _requests.Count, Sources: _sources.Count);
        try
        {
            foreach (var source in directives.Sources)
                _sources.Add(source.Contains("://", StringComparison.Ordinal) ? source : Path.GetFullPath(source, folder));
            var added = directives.Packages.Where(Add).ToArray();
            if (added.Length == 0) return [];
            await RestoreAsync(output, added, stop).ConfigureAwait(false);
            _loader.Add(_packages);
        }
        catch
        {
            // What cannot be had must not spoil the next cell's restore.
            _requests.RemoveRange(before.Requests, _requests.Count - before.Requests);
            _sources.RemoveRange(before.Sources, _sources.Count - before.Sources);
            throw;
        }
        return [.. _packages.Where(package => _extended.Add(package.Id)).Select(ExtensionScript.Of).OfType<ExtensionScript>()];
    }

    public void Dispose() => _loader.Dispose();

    private bool Add(PackageRequest request)
    {
        var known = _requests.Find(r => r.Id.Equals(request.Id, StringComparison.OrdinalIgnoreCase));
        if (known is null) _requests.Add(request);
        else if (request.Version is { } version && version != known.Version && version != Resolved(known)?.Version)
            throw new CellException($"#r \"nuget: {request}\": an earlier line asked for {known}, and one process has one version. Name one version in one place.");
        return known is null;
    }

    private async Task RestoreAsync(ICellOutput output, PackageRequest[] added, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var id = Guid.NewGuid().ToString("N");
        var doing = $"Restoring {string.Join("; ", added.AsEnumerable())}";
        output.Display(MimeBundle.OfText(doing + " ..."), id);
        var restore = RestoreAsync(text => doing = text, stop);
        while (await Task.WhenAny(restore, Task.Delay(s_tick, CancellationToken.None)).ConfigureAwait(false) != restore)
            output.Update(id, MimeBundle.OfText($"{doing} ... {clock.Elapsed.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} s"));
        _packages = await restore.ConfigureAwait(false);
        output.Update(id, MimeBundle.OfText("Packages: " + string.Join("; ", added.Select(Describe))));
    }

    private async Task<IReadOnlyList<RestoredPackage>> RestoreAsync(Action<string> say, CancellationToken stop)
    {
        var requests = _checkout is null ? _requests : await _checkout.SubstituteAsync(_requests, say, stop).ConfigureAwait(false);
        say($"Restoring {string.Join("; ", _requests)}");
        return await PackageRestore.RunAsync(requests, _sources, folder, stop).ConfigureAwait(false);
    }

    // The version of a package of this checkout is a hash of its sources: of no interest to a reader, and different after every edit.
    private string Describe(PackageRequest request) =>
        _checkout?.Has(request.Id) == true ? $"{request.Id} (of this checkout)" : $"{request.Id} {Resolved(request)?.Version}";

    private RestoredPackage? Resolved(PackageRequest request) => _packages.FirstOrDefault(p => p.Id.Equals(request.Id, StringComparison.OrdinalIgnoreCase));
}
