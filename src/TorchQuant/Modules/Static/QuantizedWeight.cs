using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The codes of a weight in PyTorch's order, with its scales and zero points and the float bias: what lies between a float weight, the packed form and the state.</summary>
/// <param name="Codes">In the order of the float weight.</param>
/// <param name="Shape">The shape of the float weight.</param>
/// <param name="Scales">One, or one for each channel.</param>
/// <param name="ZeroPoints">Empty where all are 0, else one, or one for each channel.</param>
/// <param name="Bias">Float, one for each output, or null.</param>
internal sealed record QuantizedWeight(sbyte[] Codes, long[] Shape, float[] Scales, int[] ZeroPoints, float[]? Bias)
{
    private const string Weight = "weight";
    private const string WeightScale = "weight_scale";
    private const string WeightZeroPoint = "weight_zero_point";
    private const string BiasName = "bias";

    /// <summary>Bytes that the state takes.</summary>
    public long Bytes => BytesOf(Codes.Length, Scales.Length, ZeroPoints, Bias);

    /// <summary>Bytes that the state of a packed weight takes.</summary>
    public static long BytesOf(long codes, int scales, ReadOnlySpan<int> zeroPoints, float[]? bias) =>
        codes + (sizeof(float) * (long)scales) + (sizeof(int) * (long)Stored(zeroPoints).Length) + (sizeof(float) * (long)(bias?.Length ?? 0));

    /// <summary>Quantizes a float weight on the grid that it was trained on, or else as the qconfig's weight observer says.</summary>
    /// <param name="weight">Float32; borrowed.</param>
    /// <param name="bias">Float32, or null; borrowed.</param>
    /// <param name="conversion">The grid, or a qconfig whose weight observer gives qint8, per tensor or per channel; and the module's dotted path, for messages.</param>
    /// <param name="transposedGroups">The groups of a transposed convolution, whose weight is [in, out / groups, k...]; 0 where the output channels are the first axis.</param>
    /// <exception cref="ArgumentException">The weight or bias is not finite, not float32 or not on the CPU, or the observer is none for int8 weights.</exception>
    public static QuantizedWeight Of(Tensor weight, Tensor? bias, StaticConversion conversion, int transposedGroups = 0)
    {
        var path = conversion.Path;
        var name = PackedState.Join(path, Weight);
        WeightPacking.RequireFiniteFloat(weight, name);
        if (bias is not null)
            WeightPacking.RequireFiniteFloat(bias, PackedState.Join(path, BiasName));
        using var noGrad = no_grad();
        // The output channels come first for the observer, which knows one axis for all layers, and for quantizing channel by channel.
        using var values = OutputsFirst(weight, transposedGroups);
        using var biasValues = bias?.contiguous();
        var grid = conversion.WeightGrid ?? Observed(values, conversion.QConfig, name);
        if (grid.Axis is int axis && axis != 0 && axis != -values.dim())
            throw new ArgumentException($"{name}: the weight observer has ch_axis {axis}; use 0, which stands for the output channels of any layer.");
        var codes = WeightPacking.QuantizeCodes(values.Span<float>(), grid);
        return new QuantizedWeight(InOrderOf(weight, codes, values.shape, transposedGroups), weight.shape, grid.Scales, Stored(grid.ZeroPoints), biasValues?.Span<float>().ToArray());
    }

    /// <summary>Adds <c>weight</c> (int8), <c>weight_scale</c>, <c>weight_zero_point</c> where one is not 0, and <c>bias</c> where there is one.</summary>
    public void Export(List<KeyValuePair<string, Tensor>> state)
    {
        var codes = empty(Shape, dtype: ScalarType.Int8, device: CPU);
        Codes.CopyTo(codes.Span<sbyte>());
        PackedState.Add(state, Weight, codes);
        PackedState.Add(state, WeightScale, tensor(Scales, device: CPU));
        if (ZeroPoints.Length > 0)
            PackedState.Add(state, WeightZeroPoint, tensor(ZeroPoints, device: CPU));
        if (Bias is not null)
            PackedState.Add(state, BiasName, tensor(Bias, device: CPU));
    }

    /// <summary>The inverse of <see cref="Export"/>.</summary>
    /// <param name="state">Borrowed tensors.</param>
    /// <param name="path">The module's path, for messages.</param>
    /// <param name="dimensions">The dimensions of the weight.</param>
    /// <param name="outputs">The output channels of a weight of that shape; the first dimension if null.</param>
    /// <exception cref="ArgumentException">A tensor is missing or of another type or shape.</exception>
    public static QuantizedWeight Import(IReadOnlyDictionary<string, Tensor> state, string path, int dimensions, Func<long[], long>? outputs = null)
    {
        var codes = PackedState.Require(state, Weight, path);
        if (codes.dtype != ScalarType.Int8 || codes.dim() != dimensions || codes.numel() == 0)
            throw PackedState.Wrong(path, Weight, codes, $"Int8 of {dimensions} dimensions, none of them 0");
        var shape = codes.shape;
        var channels = checked((int)(outputs?.Invoke(shape) ?? shape[0]));
        var scales = PackedState.Read<float>(state, WeightScale, ScalarType.Float32, channels, path);
        var zeroPoints = state.ContainsKey(WeightZeroPoint) ? PackedState.Read<int>(state, WeightZeroPoint, ScalarType.Int32, channels, path) : [];
        var bias = state.ContainsKey(BiasName) ? PackedState.Read<float>(state, BiasName, ScalarType.Float32, channels, path) : null;
        if (bias is not null && bias.Length != channels)
            throw PackedState.Wrong(path, BiasName, state[BiasName], $"[{channels}]");
        using var contiguous = codes.contiguous();
        return new QuantizedWeight(contiguous.Span<sbyte>().ToArray(), shape, scales, Stored(zeroPoints), bias);
    }

    /// <summary>Zero points as they are kept: none where all are 0, one where all are the same.</summary>
    public static int[] Stored(ReadOnlySpan<int> zeroPoints) => zeroPoints.ContainsAnyExcept(0) ? PackedState.Compact(zeroPoints.ToArray()) : [];

    /// <summary>Runs what packs, and names the weight where it refuses.</summary>
    /// <exception cref="ArgumentException">A kernel's refusal, with the path.</exception>
    public static T Packing<T>(string path, Func<T> pack)
    {
        try
        {
            return pack();
        }
        catch (ArgumentException e) when (e.ParamName is not null)
        {
            throw new ArgumentException($"{PackedState.Join(path, Weight)}: {e.Message}", e);
        }
    }

    private static QuantizationGrid Observed(Tensor values, QConfig qconfig, string name)
    {
        using var observer = qconfig.weight.Create();
        if (observer is not (UniformQuantizationObserverBase or FakeQuantizeBase) || observer.dtype != qdtype.qint8)
            throw new ArgumentException(
                $"{name}: the qconfig's weight observer is {observer}; static int8 modules take weights of qint8: MinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_tensor_symmetric) " +
                "or PerChannelMinMaxObserver, as quantization.get_default_qconfig() has them.");
        observer.forward(values).Dispose();
        if (observer is not UniformQuantizationObserverBase uniform)
            return ((FakeQuantizeBase)observer).Grid;
        var (scales, zeroPoints) = uniform.QParams();
        return new QuantizationGrid(scales, zeroPoints, uniform.ChannelAxis, uniform.quant_min, uniform.quant_max);
    }

    /// <summary>[in, out / groups, k...] as contiguous [out, in / groups, k...]; other weights as they are.</summary>
    private static Tensor OutputsFirst(Tensor weight, int groups)
    {
        using var detached = weight.detach();
        if (groups == 0)
            return detached.contiguous();
        var shape = weight.shape;
        using var grouped = detached.reshape([groups, shape[0] / groups, .. shape[1..]]);
        using var turned = grouped.transpose(1, 2);
        using var joined = turned.reshape([groups * shape[1], shape[0] / groups, .. shape[2..]]);
        return joined.contiguous(); // for one group the reshaped tensor is a view
    }

    private static sbyte[] InOrderOf(Tensor weight, sbyte[] codes, long[] outputsFirst, int groups)
    {
        if (groups == 0)
            return codes;
        using var scope = NewDisposeScope();
        var grouped = tensor(codes, outputsFirst, device: CPU).reshape([groups, outputsFirst[0] / groups, .. outputsFirst[1..]]);
        return grouped.transpose(1, 2).reshape(weight.shape).contiguous().Span<sbyte>().ToArray();
    }
}
