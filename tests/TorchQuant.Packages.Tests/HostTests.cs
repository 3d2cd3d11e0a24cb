using System.Diagnostics;
using System.Text.Json.Nodes;
using Xunit;

namespace TorchQuant.Packages.Tests;

/// <summary>The packages in other programs that run C# by the piece: the last .NET Interactive there was, and csharprepl.</summary>
public class HostTests(PackedFeed feed)
{
    private const string Model = "var model = torch.nn.Sequential((\"fc\", torch.nn.Linear(64, 8)));\nvar int8 = quantization.quantize_dynamic(model);\n";
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    [Fact]
    public void A_repl_quantizes()
    {
        var code = $"#r \"nuget: TorchSharp-cpu, 0.107.0\"\n#r \"nuget: TorchQuant, {feed.Version}\"\nusing TorchSharp;\nusing TorchQuant;\n{Model}Console.WriteLine(ModelSize.Of(int8));\n";
        var folder = feed.Folder("repl", ("q.csx", code));
        // Its packages go where its settings are.
        var output = Shell.Run(folder, feed.Tool("csharprepl", "0.7.1", "csharprepl"), ["--eval-file", "q.csx"], ("XDG_CONFIG_HOME", folder));
        Assert.Contains("DynamicQuantizedLinear", output);
    }

    [Fact]
    public async Task Net_interactive_loads_the_extension_and_shows_a_module_and_a_comparison()
    {
        var folder = feed.Folder("interactive");
        var start = new ProcessStartInfo(feed.Tool("Microsoft.dotnet-interactive", "1.0.712001", "dotnet-interactive"), ["stdio"])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_INTERACTIVE_CLI_TELEMETRY_OPTOUT"] = "1";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(s_limit);
        using var process = Process.Start(start)!;
        _ = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await ReadUntilAsync(process, "KernelReady", limit.Token);
            var loaded = await SubmitAsync(process, $"#i \"nuget: {Path.Combine(feed.Root, "feed")}\"\n#r \"nuget: TorchSharp-cpu, 0.107.0\"\n#r \"nuget: TorchQuant.Interactive, {feed.Version}\"", limit.Token);
            Assert.Contains(loaded, e => e.ToJsonString().Contains("extension.dib", StringComparison.Ordinal));
            var shown = await SubmitAsync(process, $"using TorchSharp;\nusing TorchQuant;\nusing TorchQuant.Interactive;\n{Model}display(int8);\nDisplay.Compare(model, int8)", limit.Token);
            var html = shown.Where(e => e["eventType"]!.ToString() is "DisplayedValueProduced" or "ReturnValueProduced").Select(e => e["event"]!["formattedValues"]![0]!).ToArray();
            Assert.Equal(2, html.Length);
            Assert.All(html, form => Assert.Equal("text/html", form["mimeType"]!.ToString()));
            Assert.All(html, form => Assert.Contains("DynamicQuantizedLinear", form["value"]!.ToString().Replace("<wbr/>", "", StringComparison.Ordinal))); // where a long name may break
            Assert.All(html, form => Assert.Contains("class=\"tq", form["value"]!.ToString()));
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    private static async Task<List<JsonNode>> SubmitAsync(Process process, string code, CancellationToken stop)
    {
        var command = new JsonObject { ["token"] = Guid.NewGuid().ToString("N"), ["commandType"] = "SubmitCode", ["command"] = new JsonObject { ["code"] = code, ["targetKernelName"] = "csharp" } };
        await process.StandardInput.WriteLineAsync(command.ToJsonString().AsMemory(), stop);
        await process.StandardInput.FlushAsync(stop);
        return await ReadUntilAsync(process, "CommandSucceeded", stop);
    }

    private static async Task<List<JsonNode>> ReadUntilAsync(Process process, string type, CancellationToken stop)
    {
        var events = new List<JsonNode>();
        while (await process.StandardOutput.ReadLineAsync(stop) is { } line)
        {
            if (!line.StartsWith('{') || JsonNode.Parse(line) is not { } read || read["eventType"] is null) continue;
            events.Add(read);
            Assert.True(read["eventType"]!.ToString() != "CommandFailed", line);
            if (read["eventType"]!.ToString() == type) return events;
        }
        throw new InvalidOperationException($"The host ended before {type}.");
    }
}
