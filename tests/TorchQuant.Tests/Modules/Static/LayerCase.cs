using TorchQuant.Kernels;
using TorchQuant.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

/// <summary>How the scales and zero points of weights are laid out.</summary>
public enum WeightScheme { PerTensorSymmetric, PerTensorAffine, PerChannelSymmetric, PerChannelAffine }

/// <summary>An int8 layer with weights and an input, all of which follow from a seed; extremes are more frequent than chance would have them.</summary>
internal sealed class LayerCase
{
    private readonly Random _random;

    /// <summary>Draws a layer.</summary>
    /// <param name="seed">Decides all numbers.</param>
    /// <param name="input">The input's shape.</param>
    /// <param name="weight">The weight's shape.</param>
    /// <param name="outputs">The number of output channels.</param>
    /// <param name="scheme">Scales and zero points of the weight.</param>
    /// <param name="bias">Whether there is one.</param>
    /// <param name="smallWeights">Whether codes of weights are in -64..64.</param>
    public LayerCase(int seed, long[] input, long[] weight, int outputs, WeightScheme scheme, bool bias, bool smallWeights)
    {
        _random = new Random(seed);
        var extreme = _random.Next(4) == 0;
        Codes = tensor(Draw(Count(input), 0, 255, extreme), input, dtype: ScalarType.Byte);
        Weight = tensor(Draw(Count(weight), smallWeights ? -64 : -128, smallWeights ? 64 : 127, extreme), weight, dtype: ScalarType.Int8);
        var channels = scheme is WeightScheme.PerChannelAffine or WeightScheme.PerChannelSymmetric ? outputs : 1;
        var scales = Enumerable.Range(0, channels).Select(_ => Scale(-7, 1)).ToArray();
        Scales = tensor(scales);
        var affine = scheme is WeightScheme.PerTensorAffine or WeightScheme.PerChannelAffine;
        ZeroPoints = tensor(Enumerable.Range(0, channels).Select(_ => affine ? _random.Next(-128, 128) : 0).ToArray());
        InputParams = new(Scale(-7, 1), ZeroPoint());
        // From the scale with which one product saturates to the one with which no sum does.
        var taps = Count(weight) / outputs;
        var largest = InputParams.Scale * scales.Max() * 255f * 255f * taps;
        OutputParams = new(largest / 255f * MathF.Exp(-_random.NextSingle() * MathF.Log(255f * taps)), ZeroPoint());
        Bias = bias ? tensor(Enumerable.Range(0, outputs).Select(_ => (_random.NextSingle() - 0.5f) * 200 * OutputParams.Scale).ToArray()) : null;
    }

    public Tensor Codes { get; }

    public Tensor Weight { get; }

    public Tensor Scales { get; }

    public Tensor ZeroPoints { get; }

    public Tensor? Bias { get; private set; }

    public QParams InputParams { get; }

    public QParams OutputParams { get; private set; }

    /// <summary>The same layer with another scale and zero point of its output.</summary>
    public LayerCase With(QParams output)
    {
        var copy = (LayerCase)MemberwiseClone();
        copy.OutputParams = output;
        return copy;
    }

    /// <summary>
    /// The same layer with a bias that brings the given sums, one for each output channel, as near as float32 can to the middle of two codes: how bias and sum are added and rounded decides the code.
    /// </summary>
    public LayerCase AtTies(double[] sums)
    {
        var scales = Scales.data<float>().ToArray();
        var copy = With(new(2 * InputParams.Scale * scales[0], 128));
        // With half a code for each unit, odd numbers of units are in the middle.
        copy.Bias = tensor([.. sums.Select((sum, channel) => (float)(((2 * _random.Next(-60, 60)) + 1 - sum) * (InputParams.Scale * scales[scales.Length == 1 ? 0 : channel])))]);
        return copy;
    }

    /// <summary>The input as a module takes it.</summary>
    public Tensor Input() => Quantized(Codes, InputParams);

    /// <summary>A quint8 tensor of these codes.</summary>
    public static Tensor Quantized(Tensor codes, QParams qparams) =>
        // Tensors, not numbers: TorchSharp makes a Scalar of a number, and its finalizer can run before the native call has read it.
        quantize_per_tensor((codes.to(ScalarType.Float32) - tensor((float)qparams.ZeroPoint)) * tensor(qparams.Scale), qparams.Scale, qparams.ZeroPoint, ScalarType.QUInt8);

    /// <summary>The int8 module with these weights.</summary>
    public StaticQuantizedModule Module(string kind, params (string Name, string Value)[] options)
    {
        var state = new Dictionary<string, Tensor>
        {
            ["weight"] = Weight,
            ["weight_scale"] = Scales,
            ["weight_zero_point"] = ZeroPoints,
            ["scale"] = tensor([OutputParams.Scale]),
            ["zero_point"] = tensor([OutputParams.ZeroPoint]),
        };
        if (Bias is not null)
            state["bias"] = Bias;
        return (StaticQuantizedModule)QuantizedModules.Create(kind, options.ToDictionary(o => o.Name, o => o.Value), state, "layer");
    }

    private int[] Draw(long count, int low, int high, bool extreme)
    {
        var values = new int[count];
        for (var i = 0; i < values.Length; i++)
            values[i] = extreme || _random.Next(3) == 0 ? _random.Next(2) == 0 ? low : high : _random.Next(low, high + 1);
        return values;
    }

    private float Scale(double low, double high) => (float)Math.Exp(low + (_random.NextDouble() * (high - low)));

    private int ZeroPoint() => _random.Next(4) switch { 0 => 0, 1 => 255, _ => _random.Next(256) };

    private static long Count(long[] shape) => shape.Aggregate(1L, (a, b) => a * b);
}
