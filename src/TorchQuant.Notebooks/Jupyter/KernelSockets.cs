using System.Text;
using System.Text.Json.Nodes;
using NetMQ;
using NetMQ.Sockets;

namespace TorchQuant.Notebooks.Jupyter;

/// <summary>The channels that the kernel sends on.</summary>
internal enum Channel
{
    Shell,
    Control,
    Stdin,
    IOPub,
}

/// <summary>
/// The five sockets of a kernel. A ZeroMQ socket belongs to one thread, so one thread reads all of them and sends what others put into a queue; it
/// computes nothing else, so heartbeats are answered and interrupts taken while a cell runs. Messages that are not signed right are dropped.
/// </summary>
internal sealed class KernelSockets : IDisposable
{
    private static readonly TimeSpan s_linger = TimeSpan.FromSeconds(2); // for the last messages of a kernel that ends

    private readonly MessageCodec _codec;
    private readonly RouterSocket _shell = new();
    private readonly RouterSocket _control = new();
    private readonly RouterSocket _stdin = new();
    private readonly XPublisherSocket _iopub = new();
    private readonly ResponseSocket _heartbeat = new();
    private readonly NetMQQueue<(Channel Channel, IReadOnlyList<byte[]> Frames)> _outgoing = new();
    private readonly NetMQPoller _poller;

    /// <summary>Called on the sockets' thread for each message; must not block.</summary>
    public event Action<Channel, JupyterMessage>? Received;

    /// <exception cref="JupyterException">A port cannot be listened on.</exception>
    public KernelSockets(ConnectionInfo connection)
    {
        _codec = new MessageCodec(new MessageSigner(connection.Key));
        // A publisher drops what a slow reader leaves in its queue: 100,000 lines must all arrive.
        _iopub.Options.SendHighWatermark = 0;
        _iopub.Options.XPubVerbose = true;
        foreach (var (socket, port, name) in new (NetMQSocket, int, string)[]
        {
            (_shell, connection.Shell, "shell"), (_control, connection.Control, "control"), (_stdin, connection.Stdin, "stdin"),
            (_iopub, connection.IOPub, "iopub"), (_heartbeat, connection.Heartbeat, "hb"),
        })
        {
            socket.Options.Linger = s_linger;
            try
            {
                socket.Bind(connection.Address(port));
            }
            catch (NetMQException e)
            {
                throw new JupyterException($"The {name} port {connection.Address(port)} cannot be listened on: {e.Message}", e);
            }
        }
        _shell.ReceiveReady += (_, ready) => Receive(Channel.Shell, ready.Socket);
        _control.ReceiveReady += (_, ready) => Receive(Channel.Control, ready.Socket);
        _stdin.ReceiveReady += (_, ready) => Receive(Channel.Stdin, ready.Socket);
        _iopub.ReceiveReady += (_, ready) => Welcome(ready.Socket.ReceiveFrameBytes());
        _heartbeat.ReceiveReady += (_, ready) => ready.Socket.SendMultipartBytes(ready.Socket.ReceiveMultipartBytes());
        _outgoing.ReceiveReady += (_, ready) => SendAll(ready.Queue);
        _poller = [_shell, _control, _stdin, _iopub, _heartbeat, _outgoing];
    }

    public void Start() => _poller.RunAsync("jupyter sockets");

    /// <summary>Sends from any thread, in the order of the calls.</summary>
    public void Send(Channel channel, IReadOnlyList<byte[]> identities, string type, byte[]? parentHeader, JsonObject content) =>
        _outgoing.Enqueue((channel, _codec.Encode(identities, type, parentHeader, content)));

    public void Publish(string type, byte[]? parentHeader, JsonObject content) =>
        Send(Channel.IOPub, [Encoding.ASCII.GetBytes("kernel." + type)], type, parentHeader, content);

    public void Reply(Channel channel, JupyterMessage request, JsonObject content) =>
        Send(channel, request.Identities, request.Type.Replace("_request", "_reply", StringComparison.Ordinal), request.Header, content);

    /// <summary>Sends what is in the queue and closes.</summary>
    public void Dispose()
    {
        if (_poller.IsRunning) _poller.Stop();
        SendAll(_outgoing);
        _poller.Dispose();
        foreach (var socket in new NetMQSocket[] { _shell, _control, _stdin, _iopub, _heartbeat }) socket.Dispose();
        _outgoing.Dispose();
        NetMQConfig.Cleanup(block: true); // waits until the last messages have gone, at most as long as they linger
    }

    private void SendAll(NetMQQueue<(Channel Channel, IReadOnlyList<byte[]> Frames)> queue)
    {
        while (queue.TryDequeue(out var message, TimeSpan.Zero))
        {
            NetMQSocket socket = message.Channel switch { Channel.Shell => _shell, Channel.Control => _control, Channel.Stdin => _stdin, _ => _iopub };
            socket.SendMultipartBytes(message.Frames);
        }
    }

    private void Receive(Channel channel, NetMQSocket socket)
    {
        if (_codec.Decode(socket.ReceiveMultipartBytes()) is { } message) Received?.Invoke(channel, message);
    }

    // A front end then knows that it misses nothing from now on (protocol 5.4).
    private void Welcome(byte[] subscription)
    {
        if (subscription is not [1, .. var topic]) return;
        _iopub.SendMultipartBytes(_codec.Encode([topic], "iopub_welcome", null, new JsonObject { ["subscription"] = Encoding.UTF8.GetString(topic) }));
    }
}
