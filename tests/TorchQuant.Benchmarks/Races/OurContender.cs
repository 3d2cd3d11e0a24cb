namespace TorchQuant.Benchmarks.Races;

/// <summary>Ours: a kernel called from C# in a loop, outputs in the same buffer.</summary>
/// <param name="name">The name in tables.</param>
/// <param name="threads">The number of threads it uses.</param>
/// <param name="run">One call.</param>
/// <param name="check">Compares what the last call gave.</param>
internal sealed class OurContender(string name, int threads, Action run, Func<string, Agreement> check) : IContender
{
    public string Name => name;

    public Side Side => Side.Ours;

    /// <summary>The pool's workers park after 200 us.</summary>
    public TimeSpan Spin => threads > 1 ? TimeSpan.FromMilliseconds(2) : TimeSpan.Zero;

    public void Enter()
    {
    }

    public void Run(int times)
    {
        for (int i = 0; i < times; i++)
            run();
    }

    public Agreement Check() => check(name);

    public void Dispose()
    {
    }
}
