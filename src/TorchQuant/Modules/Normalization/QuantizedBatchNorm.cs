using TorchQuant.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// Statically quantized <see cref="BatchNorm1d"/>, <see cref="BatchNorm2d"/> or <see cref="BatchNorm3d"/> in eval mode, with a ReLU where one was fused: an affine map of each
/// channel, code = clamp(round_half_even(fma(m[c], xq - zx, a[c])) + zero_point), libtorch's formula, with m and a folded from the statistics, the weight and the bias. A batch norm
/// that follows a convolution or Linear costs nothing when <c>quantization.fuse_modules</c> folds it in.
/// </summary>
public sealed class QuantizedBatchNorm : StaticQuantizedModule
{
    private const string Weight = "weight";
    private const string Bias = "bias";
    private const string Mean = "running_mean";
    private const string Variance = "running_var";
    private const string DimensionsOption = "dimensions";
    private const string ChannelsOption = "num_features";
    private const string EpsOption = "eps";
    private const string ActivationOption = "activation";
    private static readonly string[] s_names = [Weight, Bias, Mean, Variance];

    private readonly int _dimensions;
    private readonly double _eps;
    private readonly bool _relu;
    private volatile Statistics _statistics;
    private volatile Folded? _folded;

    private QuantizedBatchNorm(int dimensions, double eps, bool relu, Statistics statistics, QParams output, string path) : base(nameof(QuantizedBatchNorm), path, output) =>
        (_dimensions, _eps, _relu, _statistics) = (dimensions, eps, relu, statistics);

    /// <summary>The number of channels.</summary>
    public long num_features => _statistics.Mean.Length;

    /// <summary>What is added to the variance.</summary>
    public double eps => _eps;

    /// <inheritdoc/>
    public override long WeightBytes => base.WeightBytes + _statistics.Bytes;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options => new Dictionary<string, string>([FloatTensors.OptionOf(_statistics.Names)])
    {
        [DimensionsOption] = FormattableString.Invariant($"{_dimensions}"),
        [ChannelsOption] = FormattableString.Invariant($"{num_features}"),
        [EpsOption] = FormattableString.Invariant($"{_eps}"),
        [ActivationOption] = ActivationName.Of(_relu ? FusedActivation.Relu : FusedActivation.None),
    };

    /// <summary>Converts an observed batch norm.</summary>
    /// <param name="module">The float module; it is read, not changed.</param>
    /// <param name="conversion">The observer of its output.</param>
    /// <exception cref="ArgumentException">The module tracks no statistics, or its numbers are not finite, not float32 or not on the CPU.</exception>
    /// <exception cref="InvalidOperationException">The observer has seen nothing or gives no quint8.</exception>
    public static QuantizedBatchNorm from_float(BatchNorm module, StaticConversion conversion) => From(module, relu: false, conversion);

    /// <summary>Converts an observed batch norm with its ReLU.</summary>
    /// <inheritdoc cref="from_float(BatchNorm, StaticConversion)"/>
    public static QuantizedBatchNorm from_float(BNReLU2d module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        return From(module.First, relu: true, conversion);
    }

    /// <inheritdoc cref="from_float(BNReLU2d, StaticConversion)"/>
    public static QuantizedBatchNorm from_float(BNReLU3d module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        return From(module.First, relu: true, conversion);
    }

    /// <summary>As PyTorch prints it, with the output's scale and zero point: <c>QuantizedBatchNorm2d(64, eps=1e-05, scale=0.05, zero_point=20)</c>.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"Quantized{(_relu ? "BNReLU" : "BatchNorm")}{_dimensions}d({num_features}, eps={NumberText.Of(_eps)}, scale={scale}, zero_point={zero_point})");

    internal static QuantizedBatchNorm FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var dimensions = StateOptions.Int(options, DimensionsOption, path, least: 1);
        if (dimensions > 3)
            throw new ArgumentException($"{path}: the option {DimensionsOption} is {dimensions}; expected 1 to 3.");
        var activation = ActivationName.Parse(options, ActivationOption, path);
        if (activation is not (FusedActivation.None or FusedActivation.Relu))
            throw new ArgumentException($"{path}: the option {ActivationOption} is '{options[ActivationOption]}'; a batch norm has none or relu.");
        string[] names = FloatTensors.NamesOf(options, path, s_names);
        if (names.Except([Weight, Bias]).Count() != 2)
            throw new ArgumentException($"{path}: a batch norm has {Mean} and {Variance}; the file names {string.Join(", ", names)}.");
        var statistics = Statistics.Import(state, StateOptions.Int(options, ChannelsOption, path), names, path);
        return new(dimensions, StateOptions.Double(options, EpsOption, path), activation == FusedActivation.Relu, statistics, OutputState.Import(state, path), path);
    }

    /// <inheritdoc/>
    private protected override Tensor Compute(Tensor input)
    {
        var qparams = QuantizedInput.Read(this, input);
        var (statistics, output) = (_statistics, Output);
        var (shape, channels) = (input.shape, statistics.Mean.Length);
        if (!(shape.Length == _dimensions + 2 || (_dimensions == 1 && shape.Length == 2)) || shape[1] != channels)
            throw QuantizedInput.WrongShape(this, input, $"[batch, {channels}, {SpatialNames.Of(_dimensions)}]{(_dimensions == 1 ? " or [batch, " + channels + "]" : "")}");
        using var source = MemoryOrder.Of(input, out var channelsLast);
        var inner = 1;
        for (var d = 2; d < shape.Length && !channelsLast; d++)
            inner = checked(inner * (int)shape[d]);
        var folded = FoldedFor(statistics, input.q_scale(), output.QParams);
        var result = output.Empty(source.shape);
        if (inner > 0)
            Int8BatchNorm.Apply(source.Span<byte>(), inner, qparams.ZeroPoint, folded.Multipliers, folded.Addends, result.Span<byte>(), output.QParams, _relu, get_num_threads());
        return MemoryOrder.Restore(result, channelsLast);
    }

    /// <inheritdoc/>
    private protected override List<KeyValuePair<string, Tensor>> Export()
    {
        var state = base.Export();
        _statistics.Export(state);
        return state;
    }

    /// <inheritdoc/>
    private protected override void Import(IReadOnlyDictionary<string, Tensor> state)
    {
        _statistics = Statistics.Import(state, _statistics.Mean.Length, _statistics.Names, Path);
        base.Import(state);
    }

    private static QuantizedBatchNorm From(BatchNorm module, bool relu, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(conversion);
        var path = conversion.Path;
        if (module.running_mean is not { } mean || module.running_var is not { } variance)
            throw new ArgumentException($"{path}: the batch norm tracks no running statistics and takes those of each batch in eval mode too, which cannot be quantized; make it with track_running_stats: true, or leave it float by setting its qconfig to null before prepare.");
        using var tensors = FloatTensors.Of(path, (Weight, module.weight), (Bias, module.bias), (Mean, mean), (Variance, variance));
        var dimensions = module switch { BatchNorm1d => 1, BatchNorm2d => 2, _ => 3 };
        return new(dimensions, module.eps, relu, Statistics.Of(tensors), conversion.Output, path);
    }

    /// <summary>The folded numbers for an input scale: that of the last call is kept.</summary>
    private Folded FoldedFor(Statistics statistics, double inputScale, QParams output)
    {
        if (_folded is { } last && last.InputScale == inputScale && last.OutputScale == output.Scale && ReferenceEquals(last.Statistics, statistics))
            return last;
        var (multipliers, addends) = (new float[statistics.Mean.Length], new float[statistics.Mean.Length]);
        Int8BatchNorm.Fold(statistics.Weight, statistics.Bias, statistics.Mean, statistics.Variance, (float)_eps, inputScale, output.Scale, multipliers, addends);
        return _folded = new(statistics, inputScale, output.Scale, multipliers, addends);
    }

    private sealed record Folded(Statistics Statistics, double InputScale, float OutputScale, float[] Multipliers, float[] Addends);

    /// <summary>The float numbers of each channel; weight and bias are empty where the module is not affine.</summary>
    private sealed record Statistics(float[] Weight, float[] Bias, float[] Mean, float[] Variance)
    {
        public long Bytes => sizeof(float) * ((long)Weight.Length + Bias.Length + Mean.Length + Variance.Length);

        public static Statistics Of(FloatTensors tensors) => new(
            Values(tensors[QuantizedBatchNorm.Weight]), Values(tensors[QuantizedBatchNorm.Bias]), Values(tensors[QuantizedBatchNorm.Mean]), Values(tensors[QuantizedBatchNorm.Variance]));

        public IReadOnlyList<string> Names => [.. Named.Where(t => t.Values.Length > 0).Select(t => t.Name)];

        private (string Name, float[] Values)[] Named =>
            [(QuantizedBatchNorm.Weight, Weight), (QuantizedBatchNorm.Bias, Bias), (QuantizedBatchNorm.Mean, Mean), (QuantizedBatchNorm.Variance, Variance)];

        public static Statistics Import(IReadOnlyDictionary<string, Tensor> state, int channels, IReadOnlyList<string> names, string path)
        {
            using var tensors = FloatTensors.Import(state, path, [channels], names);
            return Of(tensors);
        }

        public void Export(List<KeyValuePair<string, Tensor>> state)
        {
            foreach (var (name, values) in Named.Where(t => t.Values.Length > 0))
                PackedState.Add(state, name, tensor(values, device: CPU));
        }

        private static float[] Values(Tensor? tensor) => tensor is null ? [] : tensor.Span<float>().ToArray();
    }
}
