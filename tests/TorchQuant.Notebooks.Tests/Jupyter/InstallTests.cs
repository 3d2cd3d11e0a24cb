using System.CommandLine;
using System.Text.Json.Nodes;
using TorchQuant.Notebooks.Jupyter;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Jupyter;

public sealed class InstallTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private JsonNode Spec(params string[] path) => JsonNode.Parse(File.ReadAllText(Path.Combine([_folder.Path, .. path, "kernel.json"])))!;

    private static async Task<(int ExitCode, string Errors)> CallAsync(params string[] arguments)
    {
        using var errors = new StringWriter();
        using var output = new StringWriter();
        var exitCode = await new RootCommand { JupyterCommand.Create() }.Parse(["jupyter", .. arguments])
            .InvokeAsync(new InvocationConfiguration { Error = errors, Output = output }, TestContext.Current.CancellationToken);
        return (exitCode, errors.ToString());
    }

    [Fact]
    public async Task Every_language_gets_a_spec_that_starts_this_program()
    {
        Assert.Equal(0, (await CallAsync("install", "--path", _folder.Path)).ExitCode);
        foreach (var language in KernelLanguage.All)
        {
            var spec = Spec(language.SpecName);
            Assert.Equal((language.DisplayName, language.Name, "message"), (spec["display_name"]!.ToString(), spec["language"]!.ToString(), spec["interrupt_mode"]!.ToString()));
            Assert.Equal(["jupyter", "kernel", "--language", language.Argument, "{connection_file}"], spec["argv"]!.AsArray().TakeLast(5).Select(part => part!.ToString()));
            Assert.True(File.Exists(spec["argv"]![0]!.ToString()));
        }
    }

    [Fact]
    public async Task A_spec_of_ours_is_renewed_and_another_programs_is_left_alone_unless_forced()
    {
        var other = _folder.Write(".net-csharp/kernel.json", """{"argv": ["dotnet", "interactive"], "display_name": ".NET (C#)", "language": "C#"}""");
        var (exitCode, errors) = await CallAsync("install", "--path", _folder.Path, "--name", ".net-csharp");
        Assert.Equal(2, exitCode);
        Assert.Contains("--force", errors, StringComparison.Ordinal);
        Assert.Equal(".NET (C#)", JsonNode.Parse(await File.ReadAllTextAsync(other, TestContext.Current.CancellationToken))!["display_name"]!.ToString());
        Assert.Equal(0, (await CallAsync("install", "--path", _folder.Path, "--name", ".net-csharp", "--force")).ExitCode);
        Assert.Equal("C# (TorchQuant)", Spec(".net-csharp")["display_name"]!.ToString());
        Assert.Equal(0, (await CallAsync("install", "--path", _folder.Path, "--name", ".net-csharp", "--allow-remote")).ExitCode);
        Assert.Contains("--allow-remote", Spec(".net-csharp")["argv"]!.AsArray().Select(part => part!.ToString()));
    }

    [Fact]
    public async Task A_prefix_has_its_kernels_where_jupyter_looks()
    {
        Assert.Equal(0, (await CallAsync("install", "--prefix", _folder.Path, "--name", "mine", "--language", "csharp")).ExitCode);
        Assert.Equal("C#", Spec("share", "jupyter", "kernels", "mine")["language"]!.ToString());
    }

    [Theory]
    [InlineData("--language", "--name", "mine")]
    [InlineData("letters", "--name", "../escape")]
    [InlineData("exclude", "--user", "--prefix", "x")]
    public async Task A_wrong_call_installs_nothing(string named, params string[] arguments)
    {
        var (exitCode, errors) = await CallAsync(["install", "--path", _folder.Path, .. arguments]);
        Assert.Equal(2, exitCode);
        Assert.Contains(named, errors, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData("ip", "\"0.0.0.0\"", "--allow-remote")]
    [InlineData("ip", "\"*\"", "--allow-remote")]
    [InlineData("transport", "\"ipc\"", "tcp")]
    [InlineData("signature_scheme", "\"hmac-md5\"", "hmac-sha256")]
    [InlineData("shell_port", "\"x\"", "shell_port")]
    [InlineData("hb_port", "0", "hb_port")]
    public void A_connection_that_is_not_safe_or_not_known_is_refused(string name, string value, string mend)
    {
        var json = new JsonObject { ["ip"] = "127.0.0.1", ["key"] = "k", ["shell_port"] = 1, ["control_port"] = 2, ["stdin_port"] = 3, ["iopub_port"] = 4, ["hb_port"] = 5 };
        Assert.Equal("tcp://127.0.0.1:4", ConnectionInfo.Load(_folder.Write("good.json", json.ToJsonString()), allowRemote: false) is var good ? good.Address(good.IOPub) : "");
        json[name] = JsonNode.Parse(value);
        var file = _folder.Write("connection.json", json.ToJsonString());
        Assert.Contains(mend, Assert.Throws<JupyterException>(() => ConnectionInfo.Load(file, allowRemote: false)).Message, StringComparison.Ordinal);
        if (mend != "--allow-remote") return;
        Assert.NotNull(ConnectionInfo.Load(file, allowRemote: true));
        json["key"] = "";
        Assert.Contains("key", Assert.Throws<JupyterException>(() => ConnectionInfo.Load(_folder.Write("open.json", json.ToJsonString()), allowRemote: true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_no_connection_file_ends_the_kernel_with_the_code_for_a_wrong_call()
    {
        Assert.Equal(2, (await CallAsync("kernel", Path.Combine(_folder.Path, "missing.json"))).ExitCode);
        Assert.Equal(2, (await CallAsync("kernel", _folder.Write("text.json", "[1"))).ExitCode);
    }
}
