using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>
/// Tensors that no computation takes for the real ones: NaN, which spreads through arithmetic, large values of both signs, which ReLU6 or a clamp would cut, and small ones, which an addition
/// would change. Two of them, so that even a tensor of one element is seen with a NaN and with a number. All are exact in float16 and bfloat16.
/// </summary>
internal sealed class DecoyValues
{
    private readonly double[] _values;

    private DecoyValues(params double[] values) => _values = values;

    /// <summary>The two.</summary>
    public static IReadOnlyList<DecoyValues> Both { get; } = [new(double.NaN, -40960, 0.5, 28672), new(-17.5, 49152, double.NaN, -0.25)];

    /// <summary>A decoy of that shape, type and memory layout.</summary>
    public Tensor Like(Tensor tensor)
    {
        using var values = Values(tensor);
        return empty_like(tensor).copy_(values);
    }

    /// <summary>Whether a tensor is the decoy of its shape, bit for bit.</summary>
    public bool Equal(Tensor tensor)
    {
        using var values = Values(tensor);
        using var same = values.isclose(tensor, rtol: 0, atol: 0, nanEqual: true);
        using var all = same.all();
        return all.item<bool>();
    }

    private Tensor Values(Tensor tensor)
    {
        using var pattern = torch.tensor(_values, dtype: tensor.dtype, device: tensor.device);
        using var repeated = pattern.repeat((tensor.numel() + _values.Length - 1) / _values.Length);
        using var cut = repeated.narrow(0, 0, tensor.numel());
        return cut.reshape(tensor.shape);
    }
}
