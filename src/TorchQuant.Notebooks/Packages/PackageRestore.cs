using System.Security;
using System.Text;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Packages;

/// <summary>
/// Restores packages by <c>dotnet restore</c> of a project made for the purpose: the versions, sources, credentials and caches are then those
/// that every other tool of the user's has.
/// </summary>
internal static class PackageRestore
{
    /// <param name="packages">All that the notebook asked for so far.</param>
    /// <param name="sources">Sources besides those of the nuget.config files.</param>
    /// <param name="folder">The notebook's folder: nuget.config files are looked for from here upwards.</param>
    /// <param name="stop">Ends the restore.</param>
    /// <exception cref="CellException">NuGet refused; the message is NuGet's.</exception>
    public static async Task<IReadOnlyList<RestoredPackage>> RunAsync(
        IReadOnlyCollection<PackageRequest> packages, IReadOnlyCollection<string> sources, string folder, CancellationToken stop)
    {
        var work = Directory.CreateTempSubdirectory("torchquant-restore-");
        try
        {
            var project = Path.Combine(work.FullName, "notebook.csproj");
            await File.WriteAllTextAsync(project, Project(packages, sources, folder), stop).ConfigureAwait(false);
            var (exitCode, output) = await DotnetTool.RunAsync(work.FullName, ["restore", project, "--nologo", "-v", "q"], stop).ConfigureAwait(false);
            if (exitCode == 0) return RestoredPackage.ReadAssets(Path.Combine(work.FullName, "obj", "project.assets.json"), Platform.Rid);
            throw new CellException($"The packages {string.Join("; ", packages)} could not be restored:\n{DotnetTool.Errors(output)}");
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    private static string Project(IEnumerable<PackageRequest> packages, IReadOnlyCollection<string> sources, string folder)
    {
        var references = new StringBuilder();
        foreach (var package in packages)
            references.Append($"    <PackageReference Include=\"{package.Id}\" Version=\"{SecurityElement.Escape(package.Version ?? "*")}\" />\n");
        // NU1603 (a registry lacks the exact lower bound and gives the next version) stays a warning. NU1605 (a package would be lower than
        // another one needs) stays an error: in one process only one version can be loaded.
        return $"""
            <Project>
              <PropertyGroup>
                <ImportDirectoryBuildProps>false</ImportDirectoryBuildProps>
                <ImportDirectoryBuildTargets>false</ImportDirectoryBuildTargets>
                <ImportDirectoryPackagesProps>false</ImportDirectoryPackagesProps>
              </PropertyGroup>
              <Import Project="Sdk.props" Sdk="Microsoft.NET.Sdk" />
              <PropertyGroup>
                <TargetFramework>net{Environment.Version.Major}.{Environment.Version.Minor}</TargetFramework>
                <RuntimeIdentifier>{Platform.Rid}</RuntimeIdentifier>
                <SelfContained>false</SelfContained>
                <UseAppHost>false</UseAppHost>
                <NuGetAudit>false</NuGetAudit>
                <TreatWarningsAsErrors>false</TreatWarningsAsErrors>
                <RestoreRootConfigDirectory>{SecurityElement.Escape(folder)}</RestoreRootConfigDirectory>
                <RestoreAdditionalProjectSources>{SecurityElement.Escape(string.Join(';', sources))}</RestoreAdditionalProjectSources>
              </PropertyGroup>
              <ItemGroup>
            {references}  </ItemGroup>
              <Import Project="Sdk.targets" Sdk="Microsoft.NET.Sdk" />
            </Project>
            """;
    }
}
