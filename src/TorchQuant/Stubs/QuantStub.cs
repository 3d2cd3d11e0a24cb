using TorchQuant.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Where a model's float values become quantized: the identity until <c>quantization.convert</c> puts a <see cref="Quantize"/> in its place; between <c>prepare</c> and
/// <c>convert</c> it observes what flows through it. One for each float input of the quantized part.
/// </summary>
/// <remarks>Declare it in the model as a field, <c>private readonly QuantStub quant = new();</c>, and call it first in forward.</remarks>
public class QuantStub : nn.Module<Tensor, Tensor>, IObserved
{
    [ComponentName(Name = nameof(activation_post_process))]
    private ObserverBase? _activation_post_process;

    /// <summary>A stub; its qconfig is that of the model around it.</summary>
    public QuantStub() : base(nameof(QuantStub))
    {
    }

    /// <summary>A stub with a qconfig of its own.</summary>
    /// <param name="qconfig">How to observe; null leaves it the identity.</param>
    public QuantStub(QConfig? qconfig) : this() => this.qconfig = qconfig;

    /// <summary>For the module that takes a stub's place.</summary>
    /// <param name="name">The class's name.</param>
    private protected QuantStub(string name) : base(name)
    {
    }

    /// <inheritdoc/>
    public ObserverBase? activation_post_process => _activation_post_process;

    /// <inheritdoc/>
    CalibrationRecord? IObserved.Calibration { get; set; }

    /// <summary>The input, observed if the model is prepared.</summary>
    /// <param name="input">Float32 of any shape.</param>
    /// <returns>The same values, an alias, as Sequential disposes what passes through it; in quantization-aware training those of the grid.</returns>
    /// <exception cref="ArgumentException">Prepared: the input holds NaN or infinite values.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return this.Observe(input.alias());
    }

    /// <inheritdoc/>
    void IObserved.Attach(ObserverBase? observer, CalibrationRecord record)
    {
        _activation_post_process = observer;
        ((IObserved)this).Calibration = record;
        if (observer is not null)
            register_module(nameof(activation_post_process), observer);
    }

    /// <summary>As PyTorch prints it.</summary>
    public override string ToString() => activation_post_process is { } observer ? $"{GetName()}({observer})" : $"{GetName()}()";
}
