using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace TorchQuant.Notebooks.Jupyter;

/// <summary>A connection file or another thing of Jupyter's cannot be used as it is; the message says why and what would do.</summary>
internal sealed class JupyterException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Where a kernel listens and with which key messages are signed, as a front end writes it into a connection file.</summary>
internal sealed record ConnectionInfo(string Ip, int Shell, int Control, int Stdin, int IOPub, int Heartbeat, byte[] Key)
{
    private const string Scheme = "hmac-sha256";

    /// <param name="path">The connection file.</param>
    /// <param name="allowRemote">Whether addresses other than the loopback's may be listened on: who reaches the ports and has the key runs code here.</param>
    /// <exception cref="JupyterException">The file cannot be read, or asks for what this kernel does not do.</exception>
    public static ConnectionInfo Load(string path, bool allowRemote)
    {
        JsonObject? json;
        try
        {
            json = JsonNode.Parse(File.ReadAllText(path)) as JsonObject;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new JupyterException($"The connection file {path} cannot be read: {e.Message}", e);
        }
        if (json is null) throw new JupyterException($"The connection file {path} holds no JSON object.");
        var transport = Text("transport", "tcp");
        if (transport != "tcp") throw new JupyterException($"{path}: transport '{transport}' is not supported, only tcp. Start the kernel manager with transport tcp.");
        var scheme = Text("signature_scheme", Scheme);
        if (scheme != Scheme) throw new JupyterException($"{path}: signature_scheme '{scheme}' is not supported, only {Scheme}.");
        var ip = Text("ip", "127.0.0.1");
        if (ip == "localhost") ip = "127.0.0.1";
        var isLocal = IPAddress.TryParse(ip, out var address) && IPAddress.IsLoopback(address);
        if (!isLocal && Text("key", "").Length == 0) throw new JupyterException($"{path}: ip '{ip}' is not this machine's loopback address, and there is no 'key': anybody could run code here.");
        if (!isLocal && !allowRemote)
            throw new JupyterException($"{path}: ip '{ip}' is not this machine's loopback address. A kernel runs whatever it is sent; if it really is to listen there, start it with --allow-remote.");
        return new ConnectionInfo(ip, Port("shell_port"), Port("control_port"), Port("stdin_port"), Port("iopub_port"), Port("hb_port"), Encoding.UTF8.GetBytes(Text("key", "")));

        string Text(string name, string otherwise) => json[name] is JsonValue value && value.TryGetValue(out string? text) ? text : otherwise;
        int Port(string name) => json[name] is JsonValue value && value.TryGetValue(out int port) && port is > 0 and < 65536
            ? port : throw new JupyterException($"{path}: '{name}' is {json[name]?.ToJsonString() ?? "missing"}; expected is a port number.");
    }

    public string Address(int port) =>
        string.Create(CultureInfo.InvariantCulture, $"tcp://{(Ip.Contains(':', StringComparison.Ordinal) ? $"[{Ip}]" : Ip)}:{port}");
}
