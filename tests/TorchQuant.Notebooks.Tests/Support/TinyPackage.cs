using System.IO.Compression;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace TorchQuant.Notebooks.Tests.Support;

/// <summary>Makes packages in a moment: the compiler in this process and a zip file.</summary>
internal static class TinyPackage
{
    public static byte[] Compile(string assembly, string code, params byte[][] references)
    {
        var platform = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetDirectoryName(path) == Path.GetDirectoryName(typeof(object).Assembly.Location));
        var compilation = CSharpCompilation.Create(assembly, [CSharpSyntaxTree.ParseText(code)],
            [.. platform.Select(path => MetadataReference.CreateFromFile(path)), .. references.Select(image => MetadataReference.CreateFromImage(image))],
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
        using var image = new MemoryStream();
        var result = compilation.Emit(image);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics));
        return image.ToArray();
    }

    public static void Write(string feed, string id, string version, byte[] assembly, string? dependency = null, string? extension = null)
    {
        Directory.CreateDirectory(feed);
        using var zip = ZipFile.Open(Path.Combine(feed, $"{id}.{version}.nupkg"), ZipArchiveMode.Create);
        var dependencies = dependency is null ? "" : $"<dependencies><group targetFramework=\"net8.0\">{dependency}</group></dependencies>";
        Add($"{id}.nuspec", System.Text.Encoding.UTF8.GetBytes($"""
            <?xml version="1.0" encoding="utf-8"?>
            <package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>
              <id>{id}</id><version>{version}</version><authors>test</authors><description>test</description>{dependencies}
            </metadata></package>
            """));
        Add($"lib/net8.0/{id}.dll", assembly);
        if (extension is not null) Add("interactive-extensions/dotnet/extension.dib", System.Text.Encoding.UTF8.GetBytes(extension));

        void Add(string path, byte[] content)
        {
            using var entry = zip.CreateEntry(path).Open();
            entry.Write(content);
        }
    }
}
