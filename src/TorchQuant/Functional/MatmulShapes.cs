using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Checks the shapes of a matrix product: TorchSharp lets libtorch's own refusal end the process.</summary>
internal static class MatmulShapes
{
    /// <summary>Refuses shapes that have no product.</summary>
    /// <param name="name">The module, for messages.</param>
    /// <param name="x">[..., n, k] or [k].</param>
    /// <param name="y">[..., k, m] or [k].</param>
    /// <exception cref="ArgumentException">The inner sizes differ, or the batch dimensions do not broadcast.</exception>
    public static void Require(string name, Tensor x, Tensor y)
    {
        var (left, right) = (x.shape, y.shape);
        var fits = left.Length > 0 && right.Length > 0 && left[^1] == (right.Length == 1 ? right[0] : right[^2]);
        for (var i = 3; fits && i <= Math.Min(left.Length, right.Length); i++)
            fits = left[^i] == right[^i] || left[^i] == 1 || right[^i] == 1;
        if (!fits)
            throw new ArgumentException(
                $"{name}: matmul of [{string.Join(", ", left)}] and [{string.Join(", ", right)}]; the last dimension of the first must equal the last but one of the second, and the dimensions before them must be equal or 1.", nameof(y));
    }
}
