using TorchQuant.Kernels;
using TorchQuant.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>What every module that is watched does with its output.</summary>
internal static class Observation
{
    /// <summary>Counts the call and lets the module's observer see its output; does nothing before <c>prepare</c>.</summary>
    /// <param name="module">The module.</param>
    /// <param name="output">What it gives.</param>
    /// <returns>The output; where the observer is a fake quantizer, what that makes of it, and the output is disposed.</returns>
    /// <exception cref="ArgumentException">The observer refuses the output (NaN, infinite values); the message names the module.</exception>
    public static Tensor Observe(this IObserved module, Tensor output)
    {
        if (module.Calibration is not { } record)
            return output;
        record.Called();
        if (module.activation_post_process is not { } observer)
            return output;
        try
        {
            var seen = observer.forward(output);
            if (observer is not FakeQuantizeBase fakeQuant)
            {
                seen.Dispose();
                return output;
            }

            output.Dispose();
            if (fakeQuant is not { is_fake_quant_enabled: true, HasQParams: true, Grid: { Scales: [var scale], ZeroPoints: [var zeroPoint] } } || fakeQuant.dtype != qdtype.quint8)
                return seen;
            return TensorGrids.Remember(seen, new TensorGrid(new QParams(scale, zeroPoint), ChannelsLast: seen.dim() is >= 3 and <= 5));
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"{record.Path} ({module.TypeName}): its output was observed, and {e.Message}", e);
        }
    }

    extension(IObserved module)
    {
        /// <summary>The name of the float module's type.</summary>
        public string TypeName => CSharpNames.Of((module is ObservedModule observed ? observed.module : module is QatModule trained ? trained.module : module is QatKeptGrid kept ? kept.module : (nn.Module)module).GetType());
    }
}
