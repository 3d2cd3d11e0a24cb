using System.Collections;
using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>What one run of a model returned: copies of its tensors, in order, and its other values.</summary>
internal sealed class RunOutputs : IDisposable
{
    private readonly List<Tensor> _tensors = [];
    private readonly List<object?> _values = [];

    /// <summary>Runs; the tensors that the run made and returned are disposed once they are copied.</summary>
    /// <exception cref="ArgumentException">It returned something in which tensors cannot be found.</exception>
    public RunOutputs(Func<object?> run)
    {
        List<Tensor> returned = [];
        using var scope = NewDisposeScope(); // tells what was made in the run from what was there before
        try
        {
            Add(run(), returned);
        }
        catch
        {
            Dispose();
            throw;
        }
        finally
        {
            var made = returned.Where(scope.Contains).Distinct(ReferenceEqualityComparer.Instance).Cast<Tensor>().ToList();
            scope.MoveToOuter(scope.DisposablesView.ToList()); // what a model keeps for its next call must live on
            made.ForEach(t => t.Dispose());
        }
    }

    /// <summary>The number of elements of all tensors.</summary>
    public long Elements => _tensors.Sum(t => t.numel());

    /// <summary>Whether these are the same: shapes, types, and values but for the last bits.</summary>
    public bool Equal(RunOutputs other) => _tensors.Count == other._tensors.Count && _values.SequenceEqual(other._values) && _tensors.Zip(other._tensors).All(p => Equal(p.First, p.Second));

    /// <summary>Whether the floating-point tensors are the same to half of their digits, of the largest value of each; others can step on a rounding, an argmax between two classes.</summary>
    public bool Near(RunOutputs other) => _tensors.Count == other._tensors.Count && _tensors.Zip(other._tensors).All(p => Near(p.First, p.Second));

    public void Dispose() => _tensors.ForEach(t => t.Dispose());

    private static bool Equal(Tensor a, Tensor b)
    {
        if (a.dtype != b.dtype || !a.shape.SequenceEqual(b.shape)) return false;
        using var near = a.isclose(b, rtol: 1e-5, atol: 1e-8, nanEqual: true);
        using var all = near.all();
        return all.item<bool>();
    }

    private static bool Near(Tensor a, Tensor b)
    {
        if (a.dtype != b.dtype || !a.shape.SequenceEqual(b.shape)) return false;
        if (!(a.is_floating_point() || a.is_complex()) || a.numel() == 0) return true;
        using var magnitudes = b.abs();
        using var finite = magnitudes.nan_to_num(0, 0, 0);
        using var largest = finite.max();
        using var wide = largest.to(ScalarType.Float64);
        var half = a.dtype switch { ScalarType.Float64 or ScalarType.ComplexFloat64 => 1.5e-8, ScalarType.Float32 or ScalarType.ComplexFloat32 => 3.5e-4, ScalarType.Float16 => 3e-2, _ => 9e-2 };
        using var near = a.isclose(b, rtol: 0, atol: half * wide.item<double>(), nanEqual: true);
        using var all = near.all();
        return all.item<bool>();
    }

    private void Add(object? value, List<Tensor> returned)
    {
        switch (value)
        {
            case Tensor tensor:
                returned.Add(tensor);
                using (var plain = tensor.is_quantized() ? tensor.dequantize() : tensor.detach())
                    _tensors.Add(plain.clone().DetachFromDisposeScope());
                return;
            case null or IConvertible or Enum:
                _values.Add(value);
                return;
            case ITuple tuple:
                for (var i = 0; i < tuple.Length; i++) Add(tuple[i], returned);
                return;
            case IDictionary dictionary:
                Add(dictionary.Keys, returned);
                Add(dictionary.Values, returned);
                return;
            case IEnumerable items:
                foreach (var item in items) Add(item, returned);
                return;
            default:
                throw new ArgumentException($"The run returned a {CSharpNames.Of(value.GetType())}, in which tensors are not looked for; return its tensors: a tuple, list or dictionary of them.");
        }
    }
}
