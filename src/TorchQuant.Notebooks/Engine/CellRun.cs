using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime;
using TorchQuant.Notebooks.Interactive;

namespace TorchQuant.Notebooks.Engine;

/// <summary>
/// One cell while it runs, and the way to stop it. The loops of C# cells ask whether they are to stop (<see cref="InterruptChecks"/>), and a thread in a wait is woken. What is left, loops of F# and of
/// libraries, .NET stops by <see cref="ControlledExecution"/> only; so this keeps the threads that run code of the cell, and aborts them. Code after an
/// <c>await</c> runs on a pool thread that is kept too: that is what the synchronization context is for. What the cell starts by other means (Task.Run, threads) goes on.
/// <para>
/// An abort may leave half done what it hits: so the compiler of C# and the host's own work stay outside. Where it hits .NET's compilation to machine code, or the entry of a function, it
/// can even end the process; so it is the last resort, and waits for a moment in which nothing was compiled.
/// </para>
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "What the cell started may look at the token after it; a source without timer holds nothing.")]
internal sealed class CellRun
{
    private static readonly TimeSpan s_wake = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_calm = TimeSpan.FromMilliseconds(250); // without compilation, before an abort
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3); // with code that never stops being compiled

    private static readonly TimeSpan s_hopeless = TimeSpan.FromSeconds(15); // .NET did not take the abort: native code, or a loop in which it finds no place

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Thread> _threads = [];
    private readonly Context _context;

    public CellRun()
    {
        _context = new Context(this);
        Interrupts.Request(stop: false);
    }

    /// <summary>How long the code may take to stop by itself.</summary>
    public TimeSpan Grace { get; set; }

    /// <summary>Cancelled when the cell is to stop: for work of the host in the cell's name.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>Runs code of the cell on the calling thread.</summary>
    /// <exception cref="OperationCanceledException">The cell was interrupted.</exception>
    public void Invoke(Action code)
    {
        var thread = Thread.CurrentThread;
        var before = SynchronizationContext.Current;
        lock (_gate)
        {
            Token.ThrowIfCancellationRequested();
            _threads.Add(thread);
        }
        SynchronizationContext.SetSynchronizationContext(_context);
        try
        {
#pragma warning disable SYSLIB0046 // There is no other way to stop a loop of the user's; only the user's code is run by it.
            ControlledExecution.Run(code, _abort.Token);
#pragma warning restore SYSLIB0046
        }
        catch (Exception e) when (_stop.IsCancellationRequested && e is ThreadInterruptedException or ThreadAbortException)
        {
            throw new OperationCanceledException(_stop.Token);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
            Leave(thread);
        }
        Token.ThrowIfCancellationRequested();
    }

    /// <summary>Waits for what the cell awaits.</summary>
    /// <exception cref="OperationCanceledException">The cell was interrupted.</exception>
    public T Await<T>(Task<T> task)
    {
        try
        {
            task.Wait(Token);
        }
        catch (AggregateException)
        {
            // Thrown below, as it was thrown first.
        }
        if (Token.IsCancellationRequested && task.Exception?.InnerException is ThreadAbortException or ThreadInterruptedException) throw new OperationCanceledException(Token);
        return task.GetAwaiter().GetResult();
    }

    /// <summary>Stops the cell. Returns at once; code that is in a native call stops when that returns.</summary>
    public void Interrupt()
    {
        Interrupts.Request(stop: true);
        _stop.Cancel();
        new Thread(Stop) { IsBackground = true, Name = "interrupt" }.Start();
    }

    private void Stop()
    {
        var (began, calm, compiled) = (Stopwatch.StartNew(), Stopwatch.StartNew(), JitInfo.GetCompiledMethodCount());
        var (aborting, told) = (false, false);
        while (Wake())
        {
            Thread.Sleep(s_wake);
            if (!told && began.Elapsed > s_hopeless)
            {
                told = true;
                Console.Error.WriteLine("The cell does not stop. If it goes on, restart the kernel: its variables are lost then.");
            }
            if (aborting) continue;
            if (JitInfo.GetCompiledMethodCount() is var count && count != compiled)
            {
                compiled = count;
                calm.Restart();
            }
            // Cancelling waits until the abort has happened, which in a wait is never: hence the thread of its own, and the waking that goes on.
            aborting = began.Elapsed > Grace && (calm.Elapsed > s_calm || began.Elapsed > Grace + s_patience);
            if (aborting) Task.Factory.StartNew(_abort.Cancel, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    private bool Wake()
    {
        lock (_gate)
        {
            foreach (var thread in _threads)
                if ((thread.ThreadState & System.Threading.ThreadState.WaitSleepJoin) != 0)
                    thread.Interrupt();
            return _threads.Count > 0;
        }
    }

    private void Leave(Thread thread)
    {
        for (var inside = true; inside;)
        {
            try
            {
                lock (_gate) _threads.Remove(thread);
                inside = false;
                // A waking that came too late would hit the next wait of this thread: it hits this one.
                if (_stop.IsCancellationRequested) Thread.Sleep(1);
            }
            catch (ThreadInterruptedException)
            {
            }
        }
    }

    private sealed class Context(CellRun run) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => ThreadPool.QueueUserWorkItem(_ =>
        {
            try
            {
                run.Invoke(() => d(state));
            }
            catch (Exception) when (run._stop.IsCancellationRequested)
            {
            }
        });

        public override void Send(SendOrPostCallback d, object? state) => d(state);

        public override SynchronizationContext CreateCopy() => this;
    }
}
