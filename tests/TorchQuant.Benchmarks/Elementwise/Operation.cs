using TorchQuant.Benchmarks.Data;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Elementwise;

/// <summary>An operation on each element, and what it is called in each library.</summary>
/// <param name="Name">Its name in tables.</param>
/// <param name="Real">What it does to real numbers; the second operand is ignored where there is one only.</param>
/// <param name="Output">Scale and zero point of the codes it gives.</param>
/// <param name="Kind">What goes in and out.</param>
/// <param name="TorchInt8">libtorch's expression of x, y, scale and zero_point.</param>
/// <param name="TorchFloat">Its expression of x and y in float; null where that is not the same work.</param>
/// <param name="OnnxInt8">ONNX Runtime's operator; null if it has none.</param>
/// <param name="OnnxFloat">The one in float; null likewise.</param>
internal sealed record Operation(string Name, Func<double, double, double> Real, QParams Output, OperationKind Kind, string TorchInt8, string? TorchFloat, string? OnnxInt8, string? OnnxFloat)
{
    public static readonly QParams First = Draw.Activations, Second = new(0.015f, 70);

    private static readonly QParams s_sum = new(0.0213f, 128), s_positive = new(0.015f, 0), s_sigmoid = new(1f / 256, 0);

    public static readonly IReadOnlyList<Operation> All =
    [
        new("add", (x, y) => x + y, s_sum, OperationKind.Pair, "ops.quantized.add(x, y, scale, zero_point)", "torch.add(x, y)", "QLinearAdd", "Add"),
        new("add relu", (x, y) => Math.Max(0, x + y), s_positive, OperationKind.Pair, "ops.quantized.add_relu(x, y, scale, zero_point)", "torch.relu_(torch.add(x, y))", "QLinearAdd", null),
        new("mul", (x, y) => x * y, s_sum, OperationKind.Pair, "ops.quantized.mul(x, y, scale, zero_point)", "torch.mul(x, y)", "QLinearMul", "Mul"),
        new("sigmoid", (x, _) => 1 / (1 + Math.Exp(-x)), s_sigmoid, OperationKind.Single, "torch.sigmoid(x)", "torch.sigmoid(x)", "QLinearSigmoid", "Sigmoid"),
        new("hardswish", (x, _) => x * Math.Clamp(x + 3, 0, 6) / 6, s_positive, OperationKind.Single, "ops.quantized.hardswish(x, scale, zero_point)", "torch.hardswish(x)", null, null),
        new("quantize", (x, _) => x, Draw.Activations, OperationKind.Quantize, "torch.quantize_per_tensor(x, scale, zero_point, 13)", null, "QuantizeLinear", null),
        new("dequantize", (x, _) => x, Draw.Activations, OperationKind.Dequantize, "torch.dequantize(x)", null, "DequantizeLinear", null),
    ];
}

/// <summary>What goes in and out of an operation.</summary>
internal enum OperationKind
{
    /// <summary>Codes of two tensors, codes out.</summary>
    Pair,

    /// <summary>Codes in, codes out.</summary>
    Single,

    /// <summary>Float in, codes out.</summary>
    Quantize,

    /// <summary>Codes in, float out.</summary>
    Dequantize,
}
