using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The base of the statically quantized modules: they take a tensor of quint8 codes and give one, whose scale and zero point were chosen by calibration.</summary>
public abstract class StaticQuantizedModule : QuantizedModule
{
    private volatile QuantizedOutput _output;

    /// <summary>Keeps the output's scale and zero point.</summary>
    /// <param name="kind">The stable name that files use.</param>
    /// <param name="path">The module's dotted path.</param>
    /// <param name="output">Scale and zero point of the output.</param>
    private protected StaticQuantizedModule(string kind, string path, QParams output) : base(kind, path) => _output = new QuantizedOutput(output);

    /// <summary>The scale of the output.</summary>
    public float scale => _output.QParams.Scale;

    /// <summary>The zero point of the output, 0..255.</summary>
    public int zero_point => _output.QParams.ZeroPoint;

    /// <summary>Makes the tensors that the module gives.</summary>
    private protected QuantizedOutput Output => _output;

    /// <inheritdoc/>
    public override long WeightBytes => OutputState.BytesOf(_output.QParams);

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options => new Dictionary<string, string>();

    /// <inheritdoc/>
    private protected override List<KeyValuePair<string, Tensor>> Export() => _output.Export();

    /// <inheritdoc/>
    private protected override void Import(IReadOnlyDictionary<string, Tensor> state) => _output = _output.Import(state, Path);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _output.Dispose();
        base.Dispose(disposing);
    }
}
