using System.Text.Json;
using System.Text.Json.Nodes;

namespace TorchQuant.Notebooks.Jupyter;

/// <summary>The file by which Jupyter knows a kernel: <c>kernels/NAME/kernel.json</c>.</summary>
internal static class KernelSpec
{
    private const string File = "kernel.json";
    private const string Mark = "torchquant"; // in the metadata: this spec is ours, to be renewed by us

    private static readonly JsonSerializerOptions s_layout = new() { WriteIndented = true, IndentSize = 1, NewLine = "\n" };

    /// <param name="kernels">The folder of kernel specs.</param>
    /// <param name="name">The spec's name, by which notebooks ask for it.</param>
    /// <param name="language">The language of the kernel.</param>
    /// <param name="allowRemote">Whether the kernel may listen on other addresses than the loopback's.</param>
    /// <param name="force">Whether another program's spec of that name is replaced.</param>
    /// <returns>The folder of the spec.</returns>
    /// <exception cref="JupyterException">The name is taken, or the folder cannot be written.</exception>
    public static string Install(string kernels, string name, KernelLanguage language, bool allowRemote, bool force)
    {
        var folder = Path.Combine(kernels, name);
        var path = Path.Combine(folder, File);
        if (Directory.Exists(folder) && !force && !IsOurs(path))
            throw new JupyterException($"{folder} is another program's kernel. Choose another name with --name, or replace it with --force.");
        try
        {
            Directory.CreateDirectory(folder);
            System.IO.File.WriteAllText(path, Content(language, allowRemote).ToJsonString(s_layout) + "\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JupyterException($"The kernel spec cannot be written to {folder}: {e.Message}", e);
        }
        return folder;
    }

    private static JsonObject Content(KernelLanguage language, bool allowRemote)
    {
        List<string> command = [.. Program(out var root), "jupyter", "kernel", "--language", language.Argument];
        if (allowRemote) command.Add("--allow-remote");
        command.Add("{connection_file}");
        var spec = new JsonObject
        {
            ["argv"] = new JsonArray([.. command.Select(part => JsonValue.Create(part))]),
            ["display_name"] = language.DisplayName,
            ["language"] = language.Name,
            ["interrupt_mode"] = "message",
            ["metadata"] = new JsonObject { [Mark] = true },
        };
        if (root is not null) spec["env"] = new JsonObject { ["DOTNET_ROOT"] = root };
        return spec;
    }

    // As this very process was started: by its own executable, which needs to be told where .NET is, or by `dotnet`.
    private static string[] Program(out string? root)
    {
        var runtime = new DirectoryInfo(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory());
        var process = Environment.ProcessPath!;
        var byDotnet = Path.GetFileNameWithoutExtension(process) == "dotnet";
        root = byDotnet ? null : runtime.Parent?.Parent?.Parent?.FullName; // <root>/shared/Microsoft.NETCore.App/<version>
        return byDotnet ? [process, typeof(KernelSpec).Assembly.Location] : [process];
    }

    private static bool IsOurs(string path)
    {
        if (!System.IO.File.Exists(path)) return !Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(path)!).Any();
        try
        {
            return JsonNode.Parse(System.IO.File.ReadAllText(path))?["metadata"]?[Mark] is not null;
        }
        catch (Exception e) when (e is IOException or JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
