using System.Collections.Concurrent;

namespace TorchQuant.Notebooks.Engine;

/// <summary>
/// The one thread on which every cell starts. torch keeps its dispose scopes, its gradient mode and its generator per thread, so
/// <c>torch.no_grad()</c> in one cell must meet the next cell on the same thread. Code after an await goes on on a pool thread (see <see cref="CellRun"/>),
/// so <c>.Result</c> in a cell cannot lock itself out.
/// </summary>
internal sealed class CellThread : IDisposable
{
    private const int StackBytes = 16 << 20;

    private readonly BlockingCollection<Action> _work = [];

    public CellThread()
    {
        // Background: a cell that does not come back when the run is stopped must not keep the process alive.
        var thread = new Thread(Loop, StackBytes) { IsBackground = true, Name = "cells" };
        thread.Start();
    }

    public Task<T> Run<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    public void Dispose() => _work.CompleteAdding();

    private void Loop()
    {
        foreach (var action in _work.GetConsumingEnumerable()) action();
        _work.Dispose();
    }
}
