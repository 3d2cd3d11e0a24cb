using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The base of the int8 modules whose output has the scale and the zero point of the input: they have no state.</summary>
public abstract class KeptQParamsModule : QuantizedModule
{
    /// <summary>Keeps the name and the path.</summary>
    /// <param name="kind">The stable name that files use.</param>
    /// <param name="path">The module's dotted path.</param>
    private protected KeptQParamsModule(string kind, string path) : base(kind, path)
    {
    }

    /// <inheritdoc/>
    public override long WeightBytes => 0;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options => new Dictionary<string, string>();

    /// <inheritdoc/>
    private protected sealed override List<KeyValuePair<string, Tensor>> Export() => [];

    /// <inheritdoc/>
    private protected sealed override void Import(IReadOnlyDictionary<string, Tensor> state)
    {
    }
}
