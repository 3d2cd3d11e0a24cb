using TorchQuant.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Where a model's quantized values become float again: the identity until <c>quantization.convert</c> puts a <see cref="DeQuantize"/> in its place. It is not observed.</summary>
public class DeQuantStub : nn.Module<Tensor, Tensor>, IObserved
{
    /// <summary>A stub; its qconfig is that of the model around it.</summary>
    public DeQuantStub() : base(nameof(DeQuantStub))
    {
    }

    /// <summary>A stub with a qconfig of its own.</summary>
    /// <param name="qconfig">Null leaves it the identity.</param>
    public DeQuantStub(QConfig? qconfig) : this() => this.qconfig = qconfig;

    /// <summary>For the module that takes a stub's place.</summary>
    /// <param name="name">The class's name.</param>
    private protected DeQuantStub(string name) : base(name)
    {
    }

    /// <summary>Always null: the values have been observed where they were made.</summary>
    public ObserverBase? activation_post_process => null;

    /// <inheritdoc/>
    CalibrationRecord? IObserved.Calibration { get; set; }

    /// <summary>The input.</summary>
    /// <param name="input">Any tensor.</param>
    /// <returns>The same values: an alias, as Sequential disposes what passes through it.</returns>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.alias();
    }

    /// <inheritdoc/>
    void IObserved.Attach(ObserverBase? observer, CalibrationRecord record) => ((IObserved)this).Calibration = record;

    /// <summary>As PyTorch prints it.</summary>
    public override string ToString() => $"{GetName()}()";
}
