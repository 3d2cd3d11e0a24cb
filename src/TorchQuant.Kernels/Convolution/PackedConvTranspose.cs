namespace TorchQuant.Kernels;

/// <summary>
/// Int8 weights of a transposed convolution, packed by the phases of its stride (<see cref="TransposedPhase"/>): each is a convolution of its own. Immutable, so any
/// number of threads may share it; the codes exist once, and <see cref="Unpack"/> gives them back.
/// </summary>
public sealed class PackedConvTranspose
{
    private readonly PackedWeights?[] _products;
    private readonly PackedWeights?[] _empty;
    private readonly GroupParts _parts;
    private readonly float[] _scales;
    private readonly int[] _zeroPoints;

    private PackedConvTranspose(ConvTransposeShape shape, ReadOnlySpan<float> scales, ReadOnlySpan<int> zeroPoints)
    {
        Shape = shape;
        _parts = new GroupParts(shape.InChannels, shape.OutChannels, shape.Groups);
        (_products, _empty) = (new PackedWeights?[shape.Phases * _parts.Count], new PackedWeights?[_parts.Count]);
        (_scales, _zeroPoints) = (scales.ToArray(), zeroPoints.IsEmpty ? new int[scales.Length] : zeroPoints.ToArray());
    }

    private PackedConvTranspose(ConvTransposeShape shape, PackedConvTranspose other)
    {
        Shape = shape;
        (_products, _empty, _parts, _scales, _zeroPoints) = (other._products, other._empty, other._parts, other._scales, other._zeroPoints);
    }

    /// <summary>The geometry.</summary>
    public ConvTransposeShape Shape { get; }

    /// <summary>One scale, or one for each output channel.</summary>
    public ReadOnlySpan<float> Scales => _scales;

    /// <summary>The zero points as packed: one, or one for each output channel. Zeros if none were given, then as many as <see cref="Scales"/>.</summary>
    public ReadOnlySpan<int> ZeroPoints => _zeroPoints;

    internal int PartCount => _parts.Count;

    /// <summary>Packs weights.</summary>
    /// <param name="weights">The codes in PyTorch's order, row-major [InChannels, OutChannels / Groups, kernel...].</param>
    /// <param name="shape">The geometry.</param>
    /// <param name="scales">One scale, or one for each output channel.</param>
    /// <param name="zeroPoints">Nothing (all 0), one zero point, or one for each output channel.</param>
    /// <exception cref="ArgumentException">Lengths do not fit, a scale or zero point is out of its range, or the weights of an output are so large that their product with 8-bit activations could leave int32.</exception>
    public static PackedConvTranspose Pack(ReadOnlySpan<sbyte> weights, ConvTransposeShape shape, ReadOnlySpan<float> scales, ReadOnlySpan<int> zeroPoints = default)
    {
        ArgumentNullException.ThrowIfNull(shape);
        CheckLength(weights.Length, shape);
        PackedWeights.CheckParameters(shape.OutChannels, scales, zeroPoints);
        var packed = new PackedConvTranspose(shape, scales, zeroPoints);
        for (int phase = 0; phase < shape.Phases; phase++)
        {
            var elements = new TransposedPhases(shape, phase);
            for (int part = 0; part < packed.PartCount; part++)
            {
                if (elements.Elements > 0)
                    packed._products[phase * packed.PartCount + part] = packed.PackPart(weights, elements, part);
                else
                    packed._empty[part] ??= packed.PackPart(weights, elements, part);
            }
        }

        return packed;
    }

    /// <summary>The same weights, which are shared, for outputs of another size.</summary>
    /// <param name="outputPadding">Positions added to the end of the output in each dimension, fewer than the stride or the dilation.</param>
    /// <exception cref="ArgumentException">Another number of dimensions, or a number out of its range.</exception>
    public PackedConvTranspose WithOutputPadding(ReadOnlySpan<int> outputPadding) =>
        new(new ConvTransposeShape(Shape.InChannels, Shape.OutChannels, Shape.Kernel, Shape.Stride, Shape.Padding, outputPadding, Shape.Dilation, Shape.Groups), this);

    /// <summary>Writes the codes back in PyTorch's order, exactly as they were packed.</summary>
    /// <param name="weights">Receives InChannels * OutChannels / Groups * the kernel's elements.</param>
    /// <exception cref="ArgumentException"><paramref name="weights"/> has another length.</exception>
    public void Unpack(Span<sbyte> weights)
    {
        CheckLength(weights.Length, Shape);
        for (int phase = 0; phase < Shape.Phases; phase++)
        {
            var elements = new TransposedPhases(Shape, phase);
            for (int part = 0; part < PartCount; part++)
            {
                if (_products[phase * PartCount + part] is not PackedWeights product)
                    continue;
                sbyte[] rows = new sbyte[product.OutFeatures * product.InFeatures];
                product.Unpack(rows);
                foreach ((int row, int column, long weight) in Places(elements, part))
                    weights[(int)weight] = rows[row * product.InFeatures + column];
            }
        }
    }

    /// <summary>The weights of a phase and a part. Without elements a single real zero for each output.</summary>
    internal PackedWeights Product(int phase, int part) => _products[phase * PartCount + part] ?? _empty[part]!;

    private PackedWeights PackPart(ReadOnlySpan<sbyte> weights, TransposedPhases elements, int part)
    {
        int outputs = _parts.PartOutputs, features = checked(Math.Max(elements.Elements * _parts.PartInputs, 1)), firstOutput = part * outputs;
        sbyte[] rows = new sbyte[checked(outputs * features)];
        for (int row = 0; row < outputs; row++)
            rows.AsSpan(row * features, features).Fill((sbyte)_zeroPoints[_zeroPoints.Length == 1 ? 0 : firstOutput + row]);
        foreach ((int row, int column, long weight) in Places(elements, part))
            rows[row * features + column] = weights[(int)weight];
        return PackedWeights.Pack(rows, outputs, features, PackedConvolution.PartOf<float>(_scales, firstOutput, outputs), PackedConvolution.PartOf<int>(_zeroPoints, firstOutput, outputs), firstOutput);
    }

    /// <summary>For every weight of a phase and a part: its row and column in the product, and its place in PyTorch's order.</summary>
    private IEnumerable<(int Row, int Column, long Weight)> Places(TransposedPhases elements, int part)
    {
        int count = elements.Elements;
        for (int row = 0; row < _parts.PartOutputs; row++)
        {
            int output = part * _parts.PartOutputs + row, group = output / _parts.Outputs;
            for (int index = 0; index < count; index++)
            {
                int element = elements.Element(index, Shape.Kernel);
                for (int input = 0; input < _parts.Inputs; input++)
                {
                    long channel = (long)group * _parts.Inputs + input;
                    yield return (row, index * _parts.PartInputs + _parts.PartInput(output, input), (channel * _parts.Outputs + output % _parts.Outputs) * Shape.KernelSize + element);
                }
            }
        }
    }

    private static void CheckLength(int found, ConvTransposeShape shape) =>
        Argument.HasLength(found, (long)shape.InChannels * (shape.OutChannels / shape.Groups) * shape.KernelSize, "weights", "InChannels * OutChannels / Groups * the kernel's elements");
}
