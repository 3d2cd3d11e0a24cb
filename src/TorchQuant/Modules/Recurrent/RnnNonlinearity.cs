using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules.Recurrent;

/// <summary>Finds out whether an RNNCell applies tanh or relu. TorchSharp keeps that in native code only, so the cell is run on a few inputs and
/// compared with both.</summary>
internal static class RnnNonlinearity
{
    public const string Tanh = "tanh";
    public const string Relu = "relu";

    // The float cell and this computation sum in different orders: far more than that differs, far less than the two functions do.
    private const double Tolerance = 1e-3;

    // Rows below it count as zeros: the reciprocal must stay finite.
    private const float SmallestTotal = 1e-30f;

    /// <summary>tanh or relu; tanh where the weights are all zero and both compute the same.</summary>
    /// <exception cref="ArgumentException">The cell applies neither.</exception>
    public static string Of(RNNCell module, string path)
    {
        using var off = no_grad();
        using var scope = NewDisposeScope();
        var (w, u) = (module.weight_ih!.detach(), module.weight_hh!.detach());
        // The probe makes the sum of the heaviest row 2, then -2, then leaves the biases alone: relu and tanh differ by 0.96 on the second.
        var heaviest = (w.abs().sum(1) + u.abs().sum(1)).argmax().item<long>();
        var (x, h) = (w[heaviest].unsqueeze(0), u[heaviest].unsqueeze(0));
        var total = (x.abs().sum() + h.abs().sum()).item<float>();
        if (total > SmallestTotal)
            (x, h) = (x.sign() * (2 / total), h.sign() * (2 / total));
        var inputs = cat([x, -x, zeros_like(x)]);
        var states = cat([h, -h, zeros_like(h)]);
        var sum = inputs.matmul(w.t()) + states.matmul(u.t());
        if (module.bias_ih is { } inputBias && module.bias_hh is { } hiddenBias)
            sum = sum + inputBias + hiddenBias;
        var found = module.call(inputs, states);
        var scale = 1 + sum.abs().max().item<float>();
        double Distance(Tensor expected) => (found - expected).abs().max().item<float>() / scale;
        var (tanh, relu) = (Distance(sum.tanh()), Distance(sum.relu()));
        if (!(Math.Min(tanh, relu) <= Tolerance)) // NaN, from sums beyond float, tells nothing either
            throw new ArgumentException(
                $"{(path.Length == 0 ? nameof(RNNCell) : path)}: the RNNCell is neither tanh (off by {tanh:g2}) nor relu (off by {relu:g2}), so it cannot be quantized. " +
                "Leave it float: name it in the qconfig_spec with null.");
        return relu < tanh ? Relu : Tanh;
    }
}
