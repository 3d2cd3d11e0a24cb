using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using NetMQ;
using NetMQ.Sockets;
using TorchQuant.Notebooks.Jupyter;

namespace TorchQuant.Notebooks.Tests.Support;

/// <summary>A front end: starts the built program as a kernel in a process of its own and speaks Jupyter's protocol with it.</summary>
public sealed class KernelClient : IDisposable
{
    private const string Key = "a key of the test";
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3); // for a machine that does much else

    private readonly TemporaryFolder _folder = new();
    private readonly MessageCodec _codec = new(new MessageSigner(Encoding.UTF8.GetBytes(Key)));
    private readonly byte[] _identity = Guid.NewGuid().ToByteArray();
    private readonly Dictionary<string, NetMQSocket> _sockets = [];
    private readonly HashSet<string> _busy = []; // the requests that were said to be at work

    public KernelClient() : this("csharp")
    {
    }

    internal KernelClient(string language, int? parent = null, params (string Name, string Value)[] environment)
    {
        do
        {
            Start(language, parent, environment); // another program may have taken a port in the meantime
        }
        while (Process.WaitForExit(TimeSpan.FromMilliseconds(1)) || !Greet());
    }

    internal Process Process { get; private set; } = null!;

    internal string Folder => _folder.Path;

    public void Dispose()
    {
        if (!Process.HasExited) Process.Kill();
        Process.WaitForExit();
        Process.Dispose();
        Close();
        _folder.Dispose();
    }

    /// <summary>Sends a request and returns its id.</summary>
    internal string Send(string channel, string type, JsonObject? content = null, string key = Key)
    {
        var frames = Frames(type, content ?? [], key);
        Send(channel, frames);
        return JsonNode.Parse(frames[2])!["msg_id"]!.ToString();
    }

    internal static IReadOnlyList<byte[]> Frames(string type, JsonObject content, string key = Key) =>
        new MessageCodec(new MessageSigner(Encoding.UTF8.GetBytes(key))).Encode([], type, null, content);

    internal void Send(string channel, IReadOnlyList<byte[]> frames) => _sockets[channel].SendMultipartBytes(frames);

    /// <summary>The next message of a channel: its type, the id of the message that it answers, its content.</summary>
    internal (string Type, string Parent, JsonObject Content) Receive(string channel)
    {
        NetMQMessage? message = null;
        if (!_sockets[channel].TryReceiveMultipartMessage(s_patience, ref message)) throw new TimeoutException($"Nothing came on {channel}.");
        var frames = message.Select(frame => frame.ToByteArray()).ToArray();
        var decoded = _codec.Decode(frames) ?? throw new InvalidDataException("The kernel signed a message wrong.");
        var parent = JsonNode.Parse(frames[Array.FindIndex(frames, frame => frame.AsSpan().SequenceEqual("<IDS|MSG>"u8)) + 3])!;
        var id = parent["msg_id"]?.ToString() ?? "";
        if (channel == "iopub" && decoded.Content["execution_state"]?.ToString() == "busy") _busy.Add(id);
        return (decoded.Type, id, decoded.Content);
    }

    internal JsonObject Ask(string channel, string type, JsonObject? content = null)
    {
        var (reply, answer) = Reply(channel, Send(channel, type, content));
        Assert.Equal(type.Replace("_request", "_reply", StringComparison.Ordinal), reply);
        return answer;
    }

    /// <summary>The answer to a request; answers to others before it are passed over.</summary>
    internal (string Type, JsonObject Content) Reply(string channel, string id)
    {
        while (true)
            if (Receive(channel) is var (type, parent, content) && parent == id)
                return (type, content);
    }

    /// <summary>The messages that belong to a request, without its two states.</summary>
    internal List<(string Type, JsonObject Content)> Outputs(string id)
    {
        var outputs = new List<(string, JsonObject)>();
        while (true)
        {
            var (type, parent, content) = Receive("iopub");
            if (parent != id) continue;
            if (type != "status")
            {
                Assert.Contains(id, _busy);
                outputs.Add((type, content));
            }
            else if (content["execution_state"]!.ToString() == "idle")
            {
                return outputs;
            }
        }
    }

    internal static JsonObject Code(string code, params (string Name, JsonNode Value)[] options)
    {
        var content = new JsonObject { ["code"] = code };
        foreach (var (name, value) in options) content[name] = value;
        return content;
    }

    /// <summary>Runs a cell: the reply, and what was published but for the input.</summary>
    internal (JsonObject Reply, List<(string Type, JsonObject Content)> Outputs) Execute(string code, params (string Name, JsonNode Value)[] options)
    {
        var id = Send("shell", "execute_request", Code(code, options));
        var outputs = Outputs(id);
        var (type, reply) = Reply("shell", id);
        Assert.Equal("execute_reply", type);
        outputs.RemoveAll(output => output.Type == "execute_input");
        return (reply, outputs);
    }

    /// <summary>The text/plain of a cell's result.</summary>
    internal string Value(string code)
    {
        var (reply, outputs) = Execute(code);
        Assert.True(reply["status"]!.ToString() == "ok", reply.ToJsonString());
        return outputs.Single(output => output.Type == "execute_result").Content["data"]!["text/plain"]!.ToString();
    }

    internal bool Beats()
    {
        var heart = _sockets["hb"];
        heart.SendFrame("beat");
        return heart.TryReceiveFrameString(s_patience, out var answer) && answer == "beat";
    }

    private void Start(string language, int? parent, (string Name, string Value)[] environment)
    {
        Close();
        var names = new[] { "shell", "control", "stdin", "iopub", "hb" };
        var ports = FreePorts(names.Length);
        var connection = new JsonObject { ["transport"] = "tcp", ["ip"] = "127.0.0.1", ["key"] = Key, ["signature_scheme"] = "hmac-sha256" };
        for (var i = 0; i < names.Length; i++)
        {
            connection[names[i] + "_port"] = ports[i];
            NetMQSocket socket = names[i] switch { "iopub" => new SubscriberSocket(), "hb" => new RequestSocket(), _ => new DealerSocket() };
            if (socket is DealerSocket) socket.Options.Identity = _identity; // one front end on all channels
            if (socket is SubscriberSocket subscriber) subscriber.SubscribeToAnyTopic();
            socket.Options.Linger = TimeSpan.Zero;
            socket.Options.ReceiveHighWatermark = 0;
            socket.Connect($"tcp://127.0.0.1:{ports[i]}");
            _sockets[names[i]] = socket;
        }
        var file = _folder.Write("connection.json", connection.ToJsonString());
        var start = TestedProgram.With("jupyter", "kernel", "--language", language, file);
        start.WorkingDirectory = _folder.Path;
        start.Environment["JPY_PARENT_PID"] = parent?.ToString(CultureInfo.InvariantCulture);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        Process = Process.Start(start)!;
    }

    // The kernel is there when it has answered, and misses nothing of ours when it has welcomed us.
    private bool Greet()
    {
        NetMQMessage? message = null;
        Send("shell", "kernel_info_request");
        while (!_sockets["iopub"].TryReceiveMultipartMessage(TimeSpan.FromMilliseconds(100), ref message))
            if (Process.HasExited)
                return false;
        Receive("shell");
        return true;
    }

    private void Close()
    {
        foreach (var socket in _sockets.Values) socket.Dispose();
        _sockets.Clear();
    }

    private static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        foreach (var listener in listeners) listener.Start();
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToArray();
        foreach (var listener in listeners) listener.Dispose();
        return ports;
    }
}
