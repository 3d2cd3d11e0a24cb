namespace TorchQuant.Kernels;

/// <summary>
/// Int8 weights of a convolution, packed for the kernel that computes it. Immutable, so any number of threads may share it; the codes exist once, and
/// <see cref="Unpack"/> gives them back.
/// </summary>
public sealed unsafe class PackedConvolution
{
    private readonly PackedWeights[] _parts;
    private readonly float[] _scales;
    private readonly int[] _zeroPoints;

    private PackedConvolution(ConvolutionShape shape, PackedWeights[] parts, float[] scales, int[] zeroPoints, PackedWeights? ones)
    {
        (Shape, _parts, _scales, _zeroPoints, Ones) = (shape, parts, scales, zeroPoints, ones);
    }

    /// <summary>The geometry.</summary>
    public ConvolutionShape Shape { get; }

    /// <summary>One scale, or one for each output channel.</summary>
    public ReadOnlySpan<float> Scales => _scales;

    /// <summary>The zero points as packed: one, or one for each output channel. Zeros if none were given, then as many as <see cref="Scales"/>.</summary>
    public ReadOnlySpan<int> ZeroPoints => _zeroPoints;

    /// <summary>The products that compute it, each for the next output channels.</summary>
    internal ReadOnlySpan<PackedWeights> Parts => _parts;

    /// <summary>For depthwise weights with zero points: the elements of the kernel as ones, which sum the activations. Otherwise null.</summary>
    internal PackedWeights? Ones { get; }

    /// <summary>Packs weights.</summary>
    /// <param name="weights">The codes in PyTorch's order, row-major [OutChannels, InChannels / Groups, kernel...].</param>
    /// <param name="shape">The geometry.</param>
    /// <param name="scales">One scale, or one for each output channel.</param>
    /// <param name="zeroPoints">Nothing (all 0), one zero point, or one for each output channel.</param>
    /// <exception cref="ArgumentException">Lengths do not fit, a scale or zero point is out of its range, or the weights of an output are so large that their product with 8-bit activations could leave int32.</exception>
    public static PackedConvolution Pack(ReadOnlySpan<sbyte> weights, ConvolutionShape shape, ReadOnlySpan<float> scales, ReadOnlySpan<int> zeroPoints = default)
    {
        ArgumentNullException.ThrowIfNull(shape);
        int inputs = shape.InChannels / shape.Groups;
        Argument.HasLength(weights.Length, (long)shape.OutChannels * inputs * shape.KernelSize, nameof(weights), "OutChannels * InChannels / Groups * the kernel's elements");
        PackedWeights.CheckParameters(shape.OutChannels, scales, zeroPoints);

        var places = new WeightPlaces(shape);
        var parts = new PackedWeights[places.Parts];
        sbyte[] rows = new sbyte[checked(places.PartOutputs * places.Features)];
        for (int part = 0; part < parts.Length; part++)
        {
            int firstOutput = part * places.PartOutputs;
            for (int row = 0; row < places.PartOutputs; row++)
            {
                int output = firstOutput + row;
                // Real zero wherever there is no weight.
                Span<sbyte> target = rows.AsSpan(row * places.Features, places.Features);
                target.Fill((sbyte)(zeroPoints.IsEmpty ? 0 : zeroPoints[zeroPoints.Length == 1 ? 0 : output]));
                ReadOnlySpan<sbyte> source = weights.Slice(output * inputs * shape.KernelSize, inputs * shape.KernelSize);
                for (int i = 0; i < source.Length; i++)
                    target[places.Index(output, i / shape.KernelSize, i % shape.KernelSize)] = source[i];
            }

            parts[part] = PackedWeights.Pack(rows, places.PartOutputs, places.Features, PartOf(scales, firstOutput, places.PartOutputs), PartOf(zeroPoints, firstOutput, places.PartOutputs), firstOutput);
        }

        int[] kept = zeroPoints.IsEmpty ? new int[scales.Length] : zeroPoints.ToArray();
        bool needsOnes = shape.IsDepthwise && !parts[0].IsSymmetric;
        return new PackedConvolution(shape, parts, scales.ToArray(), kept, needsOnes ? PackOnes(places) : null);
    }

    /// <summary>Writes the codes back in PyTorch's order, exactly as they were packed.</summary>
    /// <param name="weights">Receives OutChannels * InChannels / Groups * the kernel's elements.</param>
    /// <exception cref="ArgumentException"><paramref name="weights"/> has another length.</exception>
    public void Unpack(Span<sbyte> weights)
    {
        int inputs = Shape.InChannels / Shape.Groups;
        Argument.HasLength(weights.Length, (long)Shape.OutChannels * inputs * Shape.KernelSize, nameof(weights), "OutChannels * InChannels / Groups * the kernel's elements");
        var places = new WeightPlaces(Shape);
        sbyte[] rows = new sbyte[places.PartOutputs * places.Features];
        for (int part = 0; part < _parts.Length; part++)
        {
            _parts[part].Unpack(rows);
            for (int row = 0; row < places.PartOutputs; row++)
            {
                int output = part * places.PartOutputs + row;
                ReadOnlySpan<sbyte> source = rows.AsSpan(row * places.Features, places.Features);
                Span<sbyte> target = weights.Slice(output * inputs * Shape.KernelSize, inputs * Shape.KernelSize);
                for (int i = 0; i < target.Length; i++)
                    target[i] = source[places.Index(output, i / Shape.KernelSize, i % Shape.KernelSize)];
            }
        }
    }

    /// <summary>The part of scales or zero points that belongs to some outputs; one for all, or none, stays what it is.</summary>
    internal static ReadOnlySpan<T> PartOf<T>(ReadOnlySpan<T> parameters, int firstOutput, int outputs) =>
        parameters.Length <= 1 ? parameters : parameters.Slice(firstOutput, outputs);

    /// <summary>One panel, which serves all. Where there is no weight too: whatever a kernel sees of the activations there, times the zero point that stands for a weight, is subtracted.</summary>
    private static PackedWeights PackOnes(WeightPlaces places)
    {
        sbyte[] rows = new sbyte[PackedWeights.PanelColumns * places.Features];
        Array.Fill(rows, (sbyte)1);
        return PackedWeights.Pack(rows, PackedWeights.PanelColumns, places.Features, [1f]);
    }
}
