using System.Text;
using System.Text.Json.Nodes;
using TorchQuant.Notebooks.Documents;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Jupyter;

/// <summary>
/// Publishes what cells show. Console text is collected for a moment, so that a loop of prints is a few messages and not a message a line; who prints faster than that
/// is sent waits. Everything else is sent at once, after the text before it.
/// </summary>
internal sealed class IOPubOutput : ICellOutput, IDisposable
{
    private const int MostPending = 1 << 18;
    private static readonly TimeSpan s_moment = TimeSpan.FromMilliseconds(20);

    private readonly KernelSockets _sockets;
    private readonly object _gate = new(); // a monitor, not a Lock: writers wait in it
    private readonly StringBuilder _pending = new();
    private readonly Timer _timer;
    private OutputStream _stream;
    private byte[]? _parent;
    private int _number;
    private bool _silent;
    private string? _result;

    public IOPubOutput(KernelSockets sockets)
    {
        _sockets = sockets;
        _timer = new Timer(_ => Flush());
    }

    /// <summary>What comes from now on belongs to this request, until the next one: also what its threads print after it has ended.</summary>
    /// <param name="request">The execute request.</param>
    /// <param name="number">The cell's number.</param>
    /// <param name="silent">Whether nothing is to be shown.</param>
    public void Begin(JupyterMessage request, int number, bool silent)
    {
        lock (_gate)
        {
            Send();
            (_parent, _number, _silent, _result) = (request.Header, number, silent, null);
        }
    }

    /// <summary>The text of the last value that the cell gave as its result.</summary>
    public string? Result
    {
        get { lock (_gate) return _result; }
    }

    public void Write(OutputStream stream, string text)
    {
        lock (_gate)
            while (_pending.Length > MostPending)
                Monitor.Wait(_gate);
        try
        {
        }
        finally
        {
            // An interrupt of the cell does not reach into a finally block: the text is written whole or not at all.
            lock (_gate)
            {
                if (_stream != stream) Send();
                if (_pending.Length == 0) _timer.Change(s_moment, Timeout.InfiniteTimeSpan);
                _stream = stream;
                _pending.Append(text);
            }
        }
    }

    public void Display(MimeBundle bundle, string? id) => Publish(id is null ? "execute_result" : "display_data", bundle, id);

    public void Update(string id, MimeBundle bundle) => Publish("update_display_data", bundle, id);

    public void Fail(JsonObject error)
    {
        lock (_gate)
        {
            Send();
            if (!_silent) _sockets.Publish("error", _parent, error);
        }
    }

    public void Flush()
    {
        lock (_gate) Send();
    }

    public void Dispose()
    {
        _timer.Dispose();
        Flush();
    }

    private void Publish(string type, MimeBundle bundle, string? id)
    {
        var content = new JsonObject { ["data"] = MimeJson.Of(bundle, static text => JsonValue.Create(text)), ["metadata"] = new JsonObject() };
        if (id is not null) content["transient"] = new JsonObject { ["display_id"] = id };
        try
        {
        }
        finally
        {
            lock (_gate)
            {
                Send();
                if (id is null)
                {
                    content["execution_count"] = _number;
                    _result = bundle.Plain;
                }
                if (!_silent) _sockets.Publish(type, _parent, content);
            }
        }
    }

    private void Send()
    {
        if (_pending.Length == 0) return;
        if (!_silent)
            _sockets.Publish("stream", _parent, new JsonObject { ["name"] = _stream == OutputStream.Out ? "stdout" : "stderr", ["text"] = _pending.ToString() });
        _pending.Clear();
        Monitor.PulseAll(_gate);
    }
}
