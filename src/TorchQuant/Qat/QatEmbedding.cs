using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>An <see cref="Embedding"/> in quantization-aware training: the rows that are looked up are moved to the grid of their own 8 or 4 bits; gradients pass straight through.</summary>
public sealed class QatEmbedding : nn.Module<Tensor, Tensor>, IQatEmbedding
{
    [ComponentName(Name = nameof(module))]
    private readonly Embedding _module;

    [ComponentName(Name = nameof(weight_fake_quant))]
    private readonly RowFakeQuantize _weightFakeQuant;

    private QatEmbedding(Embedding module, RowFakeQuantize weightFakeQuant) : base(nameof(QatEmbedding))
    {
        (_module, _weightFakeQuant) = (module, weightFakeQuant);
        RegisterComponents();
        train(module.training);
    }

    /// <summary>The float module.</summary>
    public Embedding module => _module;

    /// <summary>The fake quantizer of the table.</summary>
    public RowFakeQuantize weight_fake_quant => _weightFakeQuant;

    /// <summary>Always null: embeddings give float.</summary>
    public ObserverBase? activation_post_process => null;

    /// <inheritdoc/>
    nn.Module IQatEmbedding.module => _module;

    /// <inheritdoc/>
    CalibrationRecord? IObserved.Calibration { get; set; }

    private (string, nn.Module?)[] Parts => [(nameof(weight_fake_quant), _weightFakeQuant)];

    /// <summary>Takes an Embedding over.</summary>
    /// <param name="module">The float module, which stays as it is and in use.</param>
    /// <param name="qconfig">Its weight factory makes a <see cref="RowFakeQuantize"/>: <see cref="quantization.default_embedding_qat_qconfig"/>.</param>
    /// <param name="path">The module's dotted path, for messages.</param>
    /// <exception cref="ArgumentException">The factory makes something else.</exception>
    public static QatEmbedding from_float(Embedding module, QConfig qconfig, string path = "")
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(qconfig);
        return new(module, RowFakeQuantize.Of(qconfig, path));
    }

    /// <summary>The rows of the indices, each moved to its grid: what <see cref="QuantizedEmbedding"/> gives after conversion.</summary>
    /// <param name="input">Int64 or int32 indices of any shape.</param>
    /// <returns>Float32 of the input's shape and then embedding_dim.</returns>
    /// <exception cref="ArgumentException">A row holds NaN or infinite values.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var rows = _module.call(input);
        return _weightFakeQuant.forward(rows);
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
