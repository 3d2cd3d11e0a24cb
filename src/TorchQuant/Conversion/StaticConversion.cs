using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>What <c>quantization.convert</c> knows about a module that it replaces.</summary>
/// <param name="Path">The module's dotted path in the model.</param>
/// <param name="QConfig">The qconfig that <c>prepare</c> decided for it.</param>
/// <param name="activation_post_process">The observer of its output, which has seen the calibration data; null where nothing is observed.</param>
public sealed record StaticConversion(string Path, QConfig QConfig, ObserverBase? activation_post_process)
{
    /// <summary>How calibration called the module; null where that is not known.</summary>
    internal CalibrationRecord? Calibration { get; init; }

    /// <summary>The grid on which the weight was trained; null where the qconfig's observer is to find it.</summary>
    internal QuantizationGrid? WeightGrid { get; init; }

    /// <summary>Whether one scale may serve several calls in one forward pass.</summary>
    internal bool AllowReuse { get; init; }

    /// <summary>Converts the parts of a custom module.</summary>
    internal Func<nn.Module, nn.Module>? Parts { get; init; }

    /// <summary>Scale and zero point of the module's output, as the observer chooses them. Of a module that was trained also the range of its codes: where its fake quantizer has fewer than 256, what lies outside
    /// was trained to saturate at their ends, and does in int8. PyTorch's int8 modules, and modules that were only calibrated, give all 256.</summary>
    /// <exception cref="InvalidOperationException">There is no observer, it has seen nothing or several outputs of one forward pass, or it gives no codes of quint8 with one scale; the message names the module.</exception>
    public QParams Output
    {
        get
        {
            var observer = activation_post_process
                ?? throw new InvalidOperationException($"{Path}: its output is not observed; call quantization.prepare and run the prepared model on data before convert.");
            if (observer.dtype != qdtype.quint8 || observer.is_dynamic)
                throw new InvalidOperationException(
                    $"{Path}: its activation observer is {observer}; static int8 modules take and give quint8: use an observer with dtype: qdtype.quint8, as quantization.get_default_qconfig() has it.");
            if (Calibration is { Calls: 0, ScalarCalls: > 0 })
                return new QParams(1, 0);
            if (Calibration is { Calls: 0 } && HasSeenNothing(observer))
                throw new InvalidOperationException(
                    $"{Path} was not called while the prepared model ran on data, so the range of its output is not known: run the model on data that reaches it (forward must use its call, not its forward), " +
                    "or set its qconfig to null before prepare, so that it stays float.");
            if (Calibration is { MostCallsInPass: > 1 and var calls } && !AllowReuse && observer is not (FixedQParamsObserver or FixedQParamsFakeQuantize))
                throw new InvalidOperationException(
                    $"{Path} was called {calls} times in one forward pass, and has one scale for all of its outputs: give each call a module of its own " +
                    "(a FloatFunctional for each operation, a QuantStub for each input), or, where one scale is meant to serve all calls, convert with allow_reuse: true.");
            return Chosen(observer);
        }
    }

    /// <summary>For a custom module: the int8 module for one of its parts that <c>prepare</c> observed, as the mapping makes it. The part is not changed.</summary>
    /// <param name="observed">An <see cref="ObservedModule"/>, a stub or a <see cref="FloatFunctional"/>.</param>
    /// <returns>A new module.</returns>
    /// <exception cref="ArgumentException">The part is not observed, or the mapping has no row for it.</exception>
    /// <exception cref="InvalidOperationException">It cannot be converted: it has seen nothing ...; the message names it.</exception>
    public nn.Module Convert(nn.Module observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return Parts is not null ? Parts(observed) : throw new InvalidOperationException($"{Path}: only quantization.convert knows how to convert parts of a custom module.");
    }

    /// <summary>As <see cref="Convert(nn.Module)"/>, where the type of the int8 module is known.</summary>
    /// <typeparam name="T">The int8 module's type.</typeparam>
    /// <param name="observed">The observed part.</param>
    /// <exception cref="InvalidOperationException">The mapping makes another module.</exception>
    public T Convert<T>(nn.Module observed) where T : nn.Module
    {
        var made = Convert(observed);
        if (made is T wanted)
            return wanted;
        made.Dispose();
        throw new InvalidOperationException($"{Path}: the mapping makes a {CSharpNames.Of(made.GetType())} of a part that must become a {CSharpNames.Of(typeof(T))}; leave that row as the default mapping has it.");
    }

    /// <summary>Whether an observer of ranges has no range.</summary>
    internal static bool HasSeenNothing(ObserverBase observer) => observer is UniformQuantizationObserverBase { HasObserved: false } or FakeQuantizeBase { HasQParams: false };

    private QParams Chosen(ObserverBase observer)
    {
        if (observer is FakeQuantizeBase { HasQParams: true, Grid: { Scales: [_], ZeroPoints: [_] } grid })
            return grid.Output; // what is in use, not what the observer would choose
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
