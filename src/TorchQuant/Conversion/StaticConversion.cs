using TorchQuant.Kernels;

namespace TorchQuant;

/// <summary>What <c>quantization.convert</c> knows about a module that it replaces.</summary>
/// <param name="Path">The module's dotted path in the model.</param>
/// <param name="QConfig">The qconfig that <c>prepare</c> decided for it.</param>
/// <param name="activation_post_process">The observer of its output, which has seen the calibration data; null where nothing is observed.</param>
public sealed record StaticConversion(string Path, QConfig QConfig, ObserverBase? activation_post_process)
{
    /// <summary>Scale and zero point of the module's output, as the observer chooses them.</summary>
    /// <exception cref="InvalidOperationException">There is no observer, it has seen nothing, or it gives no codes of quint8 with one scale; the message names the module.</exception>
    public QParams Output
    {
        get
        {
            var observer = activation_post_process ?? throw new InvalidOperationException($"{Path}: its output is not observed; call quantization.prepare and run the prepared model on data before convert.");
            if (observer.dtype != qdtype.quint8 || observer.is_dynamic)
                throw new InvalidOperationException($"{Path}: its activation observer is {observer}; static int8 modules take and give quint8: use an observer with dtype: qdtype.quint8, as quantization.get_default_qconfig() has it.");
            try
            {
                var (scale, zeroPoint) = observer.calculate_qparams();
                using (scale)
                using (zeroPoint)
                {
                    if (scale.numel() != 1)
                        throw new InvalidOperationException($"the observer gives {scale.numel()} scales; an activation has one: use a qscheme per tensor");
                    return new QParams(scale.item<float>(), (int)zeroPoint.item<long>());
                }
            }
            catch (InvalidOperationException e)
            {
                throw new InvalidOperationException($"{Path}: {e.Message}", e);
            }
        }
    }
}
