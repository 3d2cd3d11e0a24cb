using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Analysis;

/// <summary>Hooks on the layers that two models have in common: the first model's outputs are kept until the second has computed, then the differences are summed up.</summary>
internal sealed class OutputComparison : IDisposable
{
    private readonly nn.Module<Tensor, Tensor> _before, _after;
    private readonly List<Action> _removals = [];
    private readonly Dictionary<string, Queue<Tensor>> _kept = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LayerError> _sums = new(StringComparer.Ordinal);
    private bool _second;

    public OutputComparison(nn.Module<Tensor, Tensor> before, nn.Module<Tensor, Tensor> after)
    {
        (_before, _after) = (before, after);
        var others = after.named_modules().ToDictionary(m => m.name, m => m.module, StringComparer.Ordinal);
        foreach (var (path, module) in before.named_modules())
        {
            if (module is not nn.Module<Tensor, Tensor> first || !others.TryGetValue(path, out var other) || other is not nn.Module<Tensor, Tensor> second || !IsLayer(second))
                continue;
            var none = new LayerError(path, CSharpNames.Of(first.GetType()), CSharpNames.Of(second.GetType()), 0, 0, 0, 0);
            // The models may share modules, so each hook asks which of them runs.
            _removals.Add(first.register_forward_hook((_, _, output) => _second ? output : Keep(path, output)).remove);
            _removals.Add(second.register_forward_hook((_, _, output) => _second ? Add(none, output) : output).remove);
        }

        if (_removals.Count == 0)
            throw new ArgumentException("The models have no layers of the same dotted names; give the float model that the quantized one was made of, fused as it was.", nameof(after));
    }

    /// <summary>Both models on one batch, in the caller's dispose scope.</summary>
    public void Run(Tensor input)
    {
        _kept.Clear();
        _second = false;
        _before.call(input).Dispose();
        _second = true;
        _after.call(input).Dispose();
        if (_kept.FirstOrDefault(k => k.Value.Count > 0).Key is { } path)
            throw new ArgumentException($"{path} is called more often in the first model than in the second; compare models of the same structure.");
    }

    /// <summary>The sums in the order of the calls.</summary>
    public IReadOnlyList<LayerError> Rows()
        => _sums.Count > 0 ? [.. _sums.Values] : throw new ArgumentException("There was no data, or it ran through no layer that both models have; give at least one batch.");

    public void Dispose()
    {
        foreach (var remove in _removals)
            remove();
    }

    /// <summary>What computes as one in the second model: a leaf that was not fused away, or a block whose sum a functional does.</summary>
    private static bool IsLayer(nn.Module module)
    {
        if (module is Identity or ObserverBase or FloatFunctional or DeQuantStub)
            return false;
        var children = module.children().ToList();
        return children.Count == 0 || children.Any(c => c is FloatFunctional);
    }

    private Tensor Keep(string path, Tensor output)
    {
        if (!_kept.TryGetValue(path, out var outputs))
            _kept[path] = outputs = new Queue<Tensor>();
        outputs.Enqueue(Values(output));
        return output;
    }

    private Tensor Add(LayerError none, Tensor output)
    {
        if (!_kept.TryGetValue(none.Path, out var outputs) || !outputs.TryDequeue(out var x))
            throw new ArgumentException($"{none.Path} is called more often in the second model than in the first; compare models of the same structure.");
        using var y = Values(output);
        if (!x.shape.AsSpan().SequenceEqual(y.shape))
            throw new ArgumentException($"{none.Path} gives [{string.Join(", ", x.shape)}] in the first model and [{string.Join(", ", y.shape)}] in the second; compare models of the same structure.");
        using var scope = NewDisposeScope();
        var difference = x - y;
        var sum = _sums.GetValueOrDefault(none.Path, none);
        _sums[none.Path] = sum with
        {
            Count = sum.Count + x.numel(),
            Signal = sum.Signal + x.square().sum().item<double>(),
            Noise = sum.Noise + difference.square().sum().item<double>(),
            AbsoluteError = sum.AbsoluteError + difference.abs().sum().item<double>(),
        };
        x.Dispose();
        return output;
    }

    private static Tensor Values(Tensor output)
    {
        if (!output.is_quantized())
            return output.to_type(ScalarType.Float64, copy: true);
        using var values = output.dequantize();
        return values.to_type(ScalarType.Float64);
    }
}
