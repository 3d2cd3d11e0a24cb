using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace TorchQuant.Browser.Tests;

/// <summary>Jupyter's own web server with our kernels, in a folder of this checkout, where <c>#r "nuget: TorchQuant"</c> means its packages.</summary>
public sealed class JupyterServer : IAsyncLifetime
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private Process? _server;

    /// <summary>The folder that is served.</summary>
    public string Folder { get; } = Directory.CreateDirectory(Path.Combine(Chromium.Root, "out", "browser-jupyter", Guid.NewGuid().ToString("N"))).FullName;

    public string Address { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        var kernels = Path.Combine(Folder, ".kernels");
        using (var install = Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "TorchQuant.Notebooks.dll"), "jupyter", "install", "--path", Path.Combine(kernels, "kernels")]))
        {
            await install.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, install.ExitCode);
        }
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            Address = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
        }
        _server = Start("jupyter", ["notebook", "--no-browser", "--allow-root", "--ip=127.0.0.1", $"--port={new Uri(Address).Port}", "--NotebookApp.port_retries=0", "--NotebookApp.token=", "--NotebookApp.password=", $"--notebook-dir={Folder}"],
            ("JUPYTER_PATH", kernels), ("JUPYTER_DATA_DIR", Path.Combine(Folder, ".data")), ("JUPYTER_CONFIG_DIR", Path.Combine(Folder, ".config")), ("IPYTHONDIR", Path.Combine(Folder, ".ipython")));
        using var client = new HttpClient();
        for (var waited = Stopwatch.StartNew(); ;)
            try
            {
                (await client.GetAsync($"{Address}/api/kernelspecs")).EnsureSuccessStatusCode();
                return;
            }
            catch (HttpRequestException) when (waited.Elapsed < s_limit && !_server.HasExited)
            {
                await Task.Delay(200);
            }
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is { HasExited: false })
        {
            _server.Kill(entireProcessTree: true);
            await _server.WaitForExitAsync();
        }
        _server?.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private Process Start(string command, IReadOnlyList<string> arguments, params ReadOnlySpan<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(command, arguments) { WorkingDirectory = Folder };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return Process.Start(start)!;
    }
}
