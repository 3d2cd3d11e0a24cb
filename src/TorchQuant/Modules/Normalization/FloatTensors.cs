using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The float tensors that an int8 module keeps as they are: weights and biases of normalizations, running statistics, slopes. Some may be absent.</summary>
internal sealed class FloatTensors : IDisposable
{
    private const string Option = "tensors";

    private readonly (string Name, Tensor Value)[] _tensors;

    private FloatTensors(IEnumerable<(string, Tensor)> tensors) => _tensors = [.. tensors];

    /// <summary>Bytes of all.</summary>
    public long Bytes => _tensors.Sum(t => sizeof(float) * t.Value.numel());

    /// <summary>The names of those that are there.</summary>
    public IReadOnlyList<string> Names => [.. _tensors.Select(t => t.Name)];

    /// <summary>The tensor of that name, or null. It stays this object's.</summary>
    public Tensor? this[string name] => Array.Find(_tensors, t => t.Name == name).Value;

    /// <summary>Copies of a float module's tensors.</summary>
    /// <param name="path">The module's dotted path, for messages.</param>
    /// <param name="tensors">Names and tensors; null is absent.</param>
    /// <exception cref="ArgumentException">A tensor is not float32, not on the CPU, or holds NaN or infinite values.</exception>
    public static FloatTensors Of(string path, params IEnumerable<(string Name, Tensor? Value)> tensors)
    {
        var present = tensors.Where(t => t.Value is not null).ToList();
        foreach (var (name, value) in present)
            WeightPacking.RequireFiniteFloat(value!, PackedState.Join(path, name));
        return new(present.Select(t => (t.Name, Copy(t.Value!))));
    }

    /// <summary>The tensors of a state.</summary>
    /// <param name="state">Borrowed tensors.</param>
    /// <param name="path">The module's dotted path, for messages.</param>
    /// <param name="shape">The shape of each.</param>
    /// <param name="names">Which tensors.</param>
    /// <exception cref="ArgumentException">A tensor is missing, of another type or shape, or holds NaN or infinite values.</exception>
    public static FloatTensors Import(IReadOnlyDictionary<string, Tensor> state, string path, long[] shape, IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            var value = PackedState.Require(state, name, path);
            if (value.dtype != ScalarType.Float32 || !value.shape.AsSpan().SequenceEqual(shape))
                throw PackedState.Wrong(path, name, value, $"Float32 [{string.Join(", ", shape)}]");
        }
        return Of(path, names.Select(name => (name, (Tensor?)state[name])));
    }

    /// <summary>The option that says which tensors a state has.</summary>
    public static KeyValuePair<string, string> OptionOf(IReadOnlyList<string> names) => new(Option, string.Join(' ', names));

    /// <summary>The names that the option of a file holds.</summary>
    /// <exception cref="ArgumentException">The option is missing or holds a name that the module does not know.</exception>
    public static string[] NamesOf(IReadOnlyDictionary<string, string> options, string path, params string[] known)
    {
        var names = StateOptions.Text(options, Option, path).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return names.Except(known).FirstOrDefault() is { } unknown
            ? throw new ArgumentException($"{path}: the option {Option} has '{unknown}'; expected some of {string.Join(", ", known)}.")
            : names;
    }

    /// <summary>Adds copies of all to a state.</summary>
    public void Export(List<KeyValuePair<string, Tensor>> state)
    {
        foreach (var (name, value) in _tensors)
            PackedState.Add(state, name, Copy(value));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, value) in _tensors)
            value.Dispose();
    }

    private static Tensor Copy(Tensor value)
    {
        using var detached = value.detach();
        using var contiguous = detached.contiguous();
        return contiguous.clone().DetachFromDisposeScope();
    }
}
