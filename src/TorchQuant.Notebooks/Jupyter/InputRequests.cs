using System.Text.Json.Nodes;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Jupyter;

/// <summary>Asks the front end that sent the running cell, over the stdin channel.</summary>
internal sealed class InputRequests(KernelSockets sockets, IOPubOutput output) : ICellInput
{
    private readonly object _turn = new();
    private volatile JupyterMessage? _cell;
    private volatile TaskCompletionSource<string>? _pending;

    /// <summary>A new cell begins: questions that an earlier one left open are given up.</summary>
    public void Begin(JupyterMessage request)
    {
        _cell = request;
        _pending?.TrySetCanceled();
    }

    public string Read(string prompt, bool isPassword)
    {
        lock (_turn)
        {
            var cell = _cell;
            if (cell is null || !cell.Flag("allow_stdin", true))
                throw new InvalidOperationException("The cell asks for input, but the front end that runs it takes none (allow_stdin is false), as when a notebook is executed without a person.");
            output.Flush(); // what was printed before the question is seen before it
            var answer = _pending = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            sockets.Send(Channel.Stdin, cell.Identities, "input_request", cell.Header, new JsonObject { ["prompt"] = prompt, ["password"] = isPassword });
            return answer.Task.GetAwaiter().GetResult();
        }
    }

    /// <summary>An answer; one that nobody waits for any more is dropped.</summary>
    public void Answer(JupyterMessage reply) => _pending?.TrySetResult(reply.Text("value"));
}
