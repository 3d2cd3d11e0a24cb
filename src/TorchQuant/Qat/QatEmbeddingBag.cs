using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>An <see cref="EmbeddingBag"/> in quantization-aware training: the rows of the table are moved to the grids of their own 8 or 4 bits before they are combined; the gradients are those of the float table.</summary>
public sealed class QatEmbeddingBag : nn.Module<Tensor, Tensor?, Tensor?, Tensor>, nn.IModule<Tensor, Tensor, Tensor>, IQatEmbedding
{
    [ComponentName(Name = nameof(module))]
    private readonly EmbeddingBag _module;

    [ComponentName(Name = nameof(weight_fake_quant))]
    private readonly RowFakeQuantize _weightFakeQuant;

    private readonly EmbeddingFactoryOptions _options;

    private QatEmbeddingBag(EmbeddingBag module, RowFakeQuantize weightFakeQuant) : base(nameof(QatEmbeddingBag))
    {
        (_module, _weightFakeQuant) = (module, weightFakeQuant);
        _options = EmbeddingProbe.Of(module);
        RegisterComponents();
        train(module.training);
    }

    /// <summary>The float module.</summary>
    public EmbeddingBag module => _module;

    /// <summary>The fake quantizer of the table.</summary>
    public RowFakeQuantize weight_fake_quant => _weightFakeQuant;

    /// <summary>Always null: embeddings give float.</summary>
    public ObserverBase? activation_post_process => null;

    /// <inheritdoc/>
    nn.Module IQatEmbedding.module => _module;

    /// <inheritdoc/>
    CalibrationRecord? IObserved.Calibration { get; set; }

    private (string, nn.Module?)[] Parts => [(nameof(weight_fake_quant), _weightFakeQuant)];

    /// <summary>Takes an EmbeddingBag over.</summary>
    /// <param name="module">The float module, which stays as it is and in use.</param>
    /// <param name="qconfig">Its weight factory makes a <see cref="RowFakeQuantize"/>: <see cref="quantization.default_embedding_qat_qconfig"/>.</param>
    /// <param name="path">The module's dotted path, for messages.</param>
    /// <exception cref="ArgumentException">The factory makes something else.</exception>
    public static QatEmbeddingBag from_float(EmbeddingBag module, QConfig qconfig, string path = "")
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(qconfig);
        return new(module, RowFakeQuantize.Of(qconfig, path));
    }

    /// <summary>The bags of a 2-D input, whose rows are the bags.</summary>
    /// <param name="input">Int64 or int32 indices [bags, n].</param>
    public Tensor call(Tensor input) => call(input, null, null);

    /// <summary>The bags of a 1-D input.</summary>
    /// <param name="input">Int64 or int32 indices [n].</param>
    /// <param name="offsets">Where each bag starts.</param>
    public Tensor call(Tensor input, Tensor offsets) => call(input, offsets, null);

    /// <summary>The rows of each bag combined, each moved to its grid: what <see cref="QuantizedEmbeddingBag"/> gives after conversion. Rows that no index names cost nothing.</summary>
    /// <param name="input">As the float module takes it.</param>
    /// <param name="offsets">As the float module takes them.</param>
    /// <param name="perSampleWeights">As the float module takes them.</param>
    /// <returns>Float32 [bags, embedding_dim].</returns>
    /// <exception cref="ArgumentException">A row that is looked up holds NaN or infinite values, or the inputs do not fit.</exception>
    public override Tensor forward(Tensor input, Tensor? offsets, Tensor? perSampleWeights)
    {
        ArgumentNullException.ThrowIfNull(input);
        var plain = _module.forward(input, offsets, perSampleWeights); // shortens rows beyond max_norm
        if (!_weightFakeQuant.is_fake_quant_enabled || input.numel() == 0)
            return plain;
        using (plain)
            return GivenValues.Apply(plain, Int8(input, offsets, perSampleWeights));
    }

    /// <summary>The bags of a table of the rows that are looked up alone.</summary>
    private Tensor Int8(Tensor input, Tensor? offsets, Tensor? perSampleWeights)
    {
        var path = ((IObserved)this).Calibration?.Path ?? "";
        using var noGrad = no_grad();
        var (found, places, counts) = input.unique(sorted: true, return_inverse: true);
        counts?.Dispose();
        using var names = found.to(ScalarType.Int64);
        using (found)
        using (places)
        {
            using var rows = _module.get_parameter("weight")!.index_select(0, names);
            var padding = _options.PaddingIndex is { } index && names.Span<long>().IndexOf(index) is >= 0 and var place ? place : (int?)null;
            using var int8 = QuantizedEmbeddingBag.Of(_weightFakeQuant.Pack(rows, path), _options with { PaddingIndex = padding }, path);
            using var weights = perSampleWeights?.detach();
            return int8.forward(places!, offsets, weights);
        }
    }

    /// <summary>The parameters of the float module, under the names that they have there.</summary>
    /// <param name="recurse">Whether to look into the modules in it: there are none outside them.</param>
    public override IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true) => recurse ? StateInPlace.Parameters(_module, Parts) : [];

    /// <summary>The switches of the fake quantizer.</summary>
    /// <param name="recurse">Whether to look into the modules in it: there are none outside them.</param>
    /// <param name="include_nonpersistent">Whether to include those that are not saved.</param>
    public override IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true) =>
        recurse ? StateInPlace.Buffers(include_nonpersistent, _module, Parts) : [];

    /// <summary>Parameters and persistent buffers by name, without the name of the float module between.</summary>
    /// <param name="destination">Where to add them; a new dictionary if null.</param>
    /// <param name="prefix">What comes before the names.</param>
    public override Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null) => StateInPlace.State(destination, prefix, _module, Parts);

    /// <inheritdoc/>
    void IObserved.Attach(ObserverBase? observer, CalibrationRecord record) => ((IObserved)this).Calibration = record;

    /// <summary>The float module and the fake quantizer.</summary>
    public override string ToString() => $"{GetName()}(\n  {_module.GetType().Name}()\n  (weight_fake_quant): {_weightFakeQuant}\n)";
}
