using TorchQuant.Interactive.Rendering;
using static TorchSharp.torch;

namespace TorchQuant.Interactive;

/// <summary>An observer or a <see cref="QConfig"/> as a table: settings, what was seen, what follows from it.</summary>
internal static class ObserverTable
{
    public static Table Of(ObserverBase observer, string title) =>
        new(title, ["observer", ""], [["class", NameOf(observer)], .. Settings(observer), .. Observed(observer), .. QParams(observer)]);

    public static Table Of(QConfig qconfig, string title)
    {
        using var activation = qconfig.activation.Create();
        using var weight = qconfig.weight.Create();
        var settings = (Activation: Settings(activation).ToDictionary(row => (string)row[0]!, row => row[1]), Weight: Settings(weight).ToDictionary(row => (string)row[0]!, row => row[1]));
        return new Table(title, ["", "activations", "weights"],
        [
            ["class", NameOf(activation), NameOf(weight)],
            .. settings.Activation.Keys.Union(settings.Weight.Keys).Select(name => (object?[])[name, settings.Activation.GetValueOrDefault(name), settings.Weight.GetValueOrDefault(name)]),
        ]);
    }

    private static string ColorOf(ObserverBase observer) =>
        observer is FakeQuantizeBase ? Palette.FakeQuant : observer.dtype.IsQuantized ? Palette.Int8 : Palette.ForName(observer.dtype.ToString()) ?? "";

    private static Cell NameOf(ObserverBase observer) => new(observer.GetType().Name, Code: true);

    private static IEnumerable<object?[]> Settings(ObserverBase observer)
    {
        yield return ["type", new Cell(observer.dtype.ToString(), ColorOf(observer))];
        if (observer.is_dynamic) yield return ["scale", "from each input, while the model runs"];
        if (observer is UniformQuantizationObserverBase uniform)
        {
            yield return ["scheme", uniform.qscheme.ToString()];
            yield return ["codes", Codes(uniform.quant_min, uniform.quant_max)];
        }
        if (observer is HistogramObserverBase histogram) yield return ["bins", NumberText.Fixed(histogram.bins, 0)];
        if (observer is PercentileObserver percentile) yield return ["percentile", NumberText.Short(percentile.Percentile, 6)];
        if (observer is MovingAverageMinMaxObserver average) yield return ["averaging constant", NumberText.Short(average.averaging_constant, 4)];
        if (observer is FakeQuantizeBase fake)
        {
            yield return ["codes", Codes(fake.quant_min, fake.quant_max)];
            yield return ["fake quantization", fake.is_fake_quant_enabled ? "on" : "off"];
            yield return ["observation", fake.is_observer_enabled ? "on" : "off"];
        }
    }

    private static IEnumerable<object?[]> Observed(ObserverBase observer)
    {
        if (observer is RecordingObserver recording) yield return ["kept", $"{NumberText.Fixed(recording.get_tensor_value().Count, 0)} tensors"];
        if (observer is not UniformQuantizationObserverBase uniform) yield break;
        yield return ["observed", ObserverView.Seen(uniform) ? $"{NumberText.Short(Least(uniform.min_val), 4)} to {NumberText.Short(-Least(uniform.max_val, -1), 4)}" : "nothing yet"];
    }

    private static IEnumerable<object?[]> QParams(ObserverBase observer)
    {
        (Tensor scale, Tensor zero_point) qparams;
        try
        {
            qparams = observer.calculate_qparams();
        }
        catch (InvalidOperationException)
        {
            // Documented: it has observed nothing, or chooses none.
            return observer is FakeQuantizeBase ? [["scale", "none: nothing was observed yet"]] : [];
        }
        using (qparams.scale)
        using (qparams.zero_point)
            return [["scale", RangeOf(qparams.scale)], ["zero point", RangeOf(qparams.zero_point)]];
    }

    private static string Codes(int least, int greatest) => $"{NumberText.Fixed(least, 0)} to {NumberText.Fixed(greatest, 0)}";

    private static string RangeOf(Tensor tensor)
    {
        double least = Least(tensor), greatest = -Least(tensor, -1);
        return least == greatest ? NumberText.Short(least, 4) : $"{NumberText.Short(least, 4)} to {NumberText.Short(greatest, 4)} ({NumberText.Fixed(tensor.numel(), 0)} channels)";
    }

    private static double Least(Tensor tensor, double sign = 1)
    {
        using var numbers = tensor.to(ScalarType.Float64, copy: true);
        return numbers.data<double>().ToArray().Min(number => sign * number);
    }
}
