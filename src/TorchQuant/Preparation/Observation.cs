using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>What every module that is watched does with its output.</summary>
internal static class Observation
{
    /// <summary>Counts the call and lets the module's observer see its output; does nothing before <c>prepare</c>.</summary>
    /// <param name="module">The module.</param>
    /// <param name="output">What it gives.</param>
    /// <exception cref="ArgumentException">The observer refuses the output (NaN, infinite values); the message names the module.</exception>
    public static void Observe(this IObserved module, Tensor output)
    {
        if (module.Calibration is not { } record)
            return;
        record.Called();
        if (module.activation_post_process is not { } observer)
            return;
        try
        {
            observer.forward(output).Dispose();
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"{record.Path} ({module.TypeName}): its output was observed, and {e.Message}", e);
        }
    }

    extension(IObserved module)
    {
        /// <summary>The name of the float module's type.</summary>
        public string TypeName => CSharpNames.Of((module is ObservedModule observed ? observed.module : (nn.Module)module).GetType());
    }
}
