using TorchQuant.Benchmarks.Races;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Models;

/// <summary>A TorchQuant model called as an application calls it, from C#. Its modules follow torch's number of threads.</summary>
/// <param name="model">The int8 model; it is not disposed.</param>
/// <param name="input">Its input.</param>
/// <param name="threads">The number of threads.</param>
/// <param name="check">Compares an output.</param>
internal sealed class ModelContender(nn.Module<Tensor, Tensor> model, Tensor input, int threads, Func<string, float[], Agreement> check) : IContender
{
    public string Name => "ours";

    public Side Side => Side.Ours;

    /// <summary>libtorch's own operators between the modules have threads, which spin for about a millisecond.</summary>
    public TimeSpan Spin => threads > 1 ? TimeSpan.FromMilliseconds(8) : TimeSpan.Zero;

    public void Enter() => set_num_threads(threads);

    public void Run(int times)
    {
        for (int i = 0; i < times; i++)
            model.call(input).Dispose();
    }

    public Agreement Check()
    {
        using Tensor output = model.call(input), inOrder = output.contiguous();
        return check(Name, inOrder.data<float>().ToArray());
    }

    public void Dispose() => input.Dispose();
}
