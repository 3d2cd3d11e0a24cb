using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using TorchQuant.Notebooks.Engine;
using TorchQuant.Notebooks.Run;

namespace TorchQuant.Notebooks.Jupyter;

/// <summary>
/// A Jupyter kernel: takes requests off the sockets and answers them, those of the shell channel one after the other, those of the control channel
/// (interrupt, shutdown) beside them.
/// </summary>
internal sealed class JupyterKernel : IDisposable
{
    private readonly Channel<JupyterMessage> _shell = System.Threading.Channels.Channel.CreateUnbounded<JupyterMessage>();
    private readonly Channel<JupyterMessage> _control = System.Threading.Channels.Channel.CreateUnbounded<JupyterMessage>();
    private readonly CancellationTokenSource _ended = new();
    private readonly KernelLanguage _language;
    private readonly KernelSockets _sockets;
    private readonly IOPubOutput _output;
    private readonly InputRequests _input;
    private readonly NotebookSession _session;
    private readonly ExecutionHistory _history = new();
    private readonly CellExecution _execution;
    private readonly EditorRequests _editor;

    /// <param name="connection">Where to listen.</param>
    /// <param name="language">The language that cells begin in.</param>
    /// <param name="folder">The notebook's folder.</param>
    /// <exception cref="JupyterException">A port cannot be listened on.</exception>
    public JupyterKernel(ConnectionInfo connection, KernelLanguage language, string folder)
    {
        _language = language;
        _sockets = new KernelSockets(connection);
        _output = new IOPubOutput(_sockets);
        _input = new InputRequests(_sockets, _output);
        _session = new NotebookSession(folder, _output, _input);
        _execution = new CellExecution(_session, _output, _input, _sockets, _history, language.Language);
        _editor = new EditorRequests(_session.Editor, language.Language);
        _sockets.Received += Receive;
    }

    /// <summary>Stops the running cell, if there is one.</summary>
    public void Interrupt() => _session.Interrupt();

    /// <summary>Makes <see cref="RunAsync"/> return.</summary>
    public void End() => _ended.Cancel();

    /// <summary>Answers requests until the kernel is shut down.</summary>
    public async Task RunAsync()
    {
        // A thread that a cell started and that throws must not take the session with it.
        ExceptionHandling.SetUnhandledExceptionHandler(ShowAstray);
        using var end = new UnexpectedEnd(EndedFromWithin);
        _sockets.Start();
        Status(null, "starting");
        _session.WarmUp(_language.Language);
        var shell = Task.Run(RunShellAsync);
        var control = Task.Run(RunControlAsync);
        // A cell may be running that does not stop: then the kernel ends without it.
        var first = await Task.WhenAny(shell, control, Task.Delay(Timeout.Infinite, _ended.Token)).ConfigureAwait(false);
        if (first.IsFaulted) await first.ConfigureAwait(false);
    }

    public void Dispose()
    {
        _session.Dispose();
        _output.Dispose();
        _sockets.Dispose();
        _ended.Dispose();
    }

    private void Receive(Channel channel, JupyterMessage message)
    {
        if (channel == Channel.Shell) _shell.Writer.TryWrite(message);
        else if (channel == Channel.Control) _control.Writer.TryWrite(message);
        else if (message.Type == "input_reply") _input.Answer(message);
    }

    private async Task RunShellAsync()
    {
        await foreach (var request in _shell.Reader.ReadAllAsync(_ended.Token).ConfigureAwait(false))
        {
            // One cell's error stops "run all".
            foreach (var waiting in await AnswerShellAsync(request).ConfigureAwait(false))
            {
                if (waiting.Type == "execute_request") await AnswerAsync(Channel.Shell, waiting, () => Task.FromResult<JsonObject?>(_execution.Aborted())).ConfigureAwait(false);
                else await AnswerShellAsync(waiting).ConfigureAwait(false);
            }
        }
    }

    /// <returns>What was sent before the failure of this request was known, and is to be aborted; nothing when it did not fail.</returns>
    private async Task<List<JupyterMessage>> AnswerShellAsync(JupyterMessage request)
    {
        var waiting = new List<JupyterMessage>();
        await AnswerAsync(Channel.Shell, request, async () =>
        {
            switch (request.Type)
            {
                case "execute_request":
                    var (reply, abort) = await _execution.RunAsync(request).ConfigureAwait(false);
                    // Taken before the reply goes out: what comes after that was sent by somebody who knows.
                    while (abort && _shell.Reader.TryRead(out var next)) waiting.Add(next);
                    return reply;
                case "complete_request": return await _editor.CompleteAsync(request).ConfigureAwait(false);
                case "inspect_request": return await _editor.InspectAsync(request).ConfigureAwait(false);
                case "is_complete_request": return _editor.Check(request);
                default: return Answer(request);
            }
        }).ConfigureAwait(false);
        return waiting;
    }

    private async Task RunControlAsync()
    {
        await foreach (var request in _control.Reader.ReadAllAsync(_ended.Token).ConfigureAwait(false))
            await AnswerAsync(Channel.Control, request, () => Task.FromResult(Answer(request))).ConfigureAwait(false);
    }

    private async Task AnswerAsync(Channel channel, JupyterMessage request, Func<Task<JsonObject?>> answer)
    {
        Status(request, "busy");
        JsonObject? reply;
        try
        {
            reply = await answer().ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // An error of the host's own: the front end must not wait for ever.
            reply = CellExecution.Content(CellError.FromException(e, "", new CellSources()));
            reply["status"] = "error";
        }
        if (reply is not null) _sockets.Reply(channel, request, reply);
        Status(request, "idle");
        if (request.Type == "shutdown_request") End();
    }

    // Requests of kinds that this kernel does not know get no answer, by the protocol.
    private JsonObject? Answer(JupyterMessage request)
    {
        switch (request.Type)
        {
            case "kernel_info_request":
                return KernelInfo();
            case "history_request":
                return new JsonObject { ["status"] = "ok", ["history"] = _history.Find(request) };
            case "comm_info_request":
                return new JsonObject { ["status"] = "ok", ["comms"] = new JsonObject() };
            case "comm_open":
                // Nobody here takes part in comms (widgets): the front end is told to drop its end.
                _sockets.Publish("comm_close", request.Header, new JsonObject { ["comm_id"] = request.Text("comm_id"), ["data"] = new JsonObject() });
                return null;
            case "interrupt_request":
                Interrupt();
                return new JsonObject { ["status"] = "ok" };
            case "shutdown_request":
                Interrupt();
                var reply = new JsonObject { ["status"] = "ok", ["restart"] = request.Flag("restart", false) };
                _sockets.Publish("shutdown_reply", request.Header, reply.DeepClone().AsObject());
                return reply;
            default:
                return null;
        }
    }

    private JsonObject KernelInfo()
    {
        var version = typeof(JupyterKernel).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
        return new JsonObject
        {
            ["status"] = "ok",
            ["protocol_version"] = MessageCodec.ProtocolVersion,
            ["implementation"] = "TorchQuant.Notebooks",
            ["implementation_version"] = version,
            ["language_info"] = _language.Info,
            ["banner"] = $"TorchQuant.Notebooks {version}: {_language.Name} on .NET {Environment.Version}",
            ["debugger"] = false,
            ["help_links"] = new JsonArray(),
        };
    }

    private void Status(JupyterMessage? request, string state) =>
        _sockets.Publish("status", request?.Header, new JsonObject { ["execution_state"] = state });

    private bool ShowAstray(Exception e)
    {
        var lines = CellExecution.Lines(_session.Explain(e));
        _output.Write(OutputStream.Error, "An exception on another thread, which it ended:\n" + string.Join('\n', lines) + "\n");
        return true;
    }

    private void EndedFromWithin(string reason)
    {
        if (_execution.Ended(reason) is ({ } request, { } reply))
        {
            _sockets.Reply(Channel.Shell, request, reply);
            Status(request, "idle");
        }
        _sockets.Dispose();
    }
}
