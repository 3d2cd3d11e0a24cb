using TorchQuant.Benchmarks.Races;
using TorchSharp;

namespace TorchQuant.Benchmarks.Peers.Torch;

/// <summary>
/// libtorch through a script that loops itself, so that no call from C# is timed. Its two last outputs stay alive while the next is computed; the allocator gives their memory back.
/// </summary>
/// <param name="name">The name in tables.</param>
/// <param name="side">Int8 or float.</param>
/// <param name="engine">The quantized engine; null for float.</param>
/// <param name="threads">torch.set_num_threads.</param>
/// <param name="module">The script; disposed here.</param>
/// <param name="run">Calls the looping method with a number of turns.</param>
/// <param name="check">Calls the method once and compares what it gives.</param>
internal sealed class TorchContender(
    string name, Side side, byte? engine, int threads, torch.jit.ScriptModule module, Func<torch.jit.ScriptModule, int, object> run, Func<string, torch.jit.ScriptModule, Agreement> check) : IContender
{
    public string Name => name;

    public Side Side => side;

    /// <summary>libgomp's threads spin for about a millisecond.</summary>
    public TimeSpan Spin => threads > 1 ? TimeSpan.FromMilliseconds(8) : TimeSpan.Zero;

    public void Enter()
    {
        torch.set_num_threads(threads);
        if (engine is { } number)
            QuantizedEngine.Set(number);
    }

    public void Run(int times) => Release(run(module, times));

    public Agreement Check() => check(name, module);

    public void Dispose() => module.Dispose();

    private static void Release(object result)
    {
        switch (result)
        {
            case torch.Tensor[] tensors:
                foreach (torch.Tensor tensor in tensors)
                    tensor.Dispose();
                break;
            case IDisposable one:
                one.Dispose();
                break;
        }
    }
}
