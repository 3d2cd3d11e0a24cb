using TorchQuant.Modules;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// The operations between tensors that a model to be quantized does through a module, so that their results can be observed and become int8: <c>skip.add(x, y)</c> in the place
/// of <c>x + y</c>. Float until <c>quantization.convert</c> puts a <see cref="QFunctional"/> in its place.
/// </summary>
/// <remarks>One for each operation in forward: its observer chooses one scale. Declare it as a field, <c>private readonly FloatFunctional skip = new();</c>.</remarks>
public class FloatFunctional : nn.Module<Tensor, Tensor>, IObserved
{
    [ComponentName(Name = nameof(activation_post_process))]
    private ObserverBase? _activation_post_process;

    /// <summary>Its qconfig is that of the model around it.</summary>
    public FloatFunctional() : base(nameof(FloatFunctional))
    {
    }

    /// <summary>For the module that takes its place.</summary>
    /// <param name="name">The class's name.</param>
    private protected FloatFunctional(string name) : base(name)
    {
    }

    /// <inheritdoc/>
    public ObserverBase? activation_post_process => _activation_post_process;

    /// <inheritdoc/>
    CalibrationRecord? IObserved.Calibration { get; set; }

    /// <summary>x + y, broadcast as tensors are.</summary>
    /// <param name="x">A tensor.</param>
    /// <param name="y">A tensor.</param>
    public virtual Tensor add(Tensor x, Tensor y) => Observed(() => x + y, static (f, codes) => f.add(codes[0], codes[1]), x, y);

    /// <summary>x + y with a number. The result is not observed: quantized, it moves the zero point.</summary>
    /// <param name="x">A tensor.</param>
    /// <param name="y">A finite number.</param>
    public virtual Tensor add_scalar(Tensor x, double y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ((IObserved)this).Calibration?.CalledWithScalar();
        using var number = y.ToScalar(); // an implicit Scalar could be collected during the call
        return Shifted(x, x.add(number), (f, codes) => f.add_scalar(codes[0], y));
    }

    /// <summary>x * y, broadcast as tensors are.</summary>
    /// <param name="x">A tensor.</param>
    /// <param name="y">A tensor.</param>
    public virtual Tensor mul(Tensor x, Tensor y) => Observed(() => x * y, static (f, codes) => f.mul(codes[0], codes[1]), x, y);

    /// <summary>x * y with a number. The result is not observed: quantized, it changes the scale.</summary>
    /// <param name="x">A tensor.</param>
    /// <param name="y">A finite number.</param>
    public virtual Tensor mul_scalar(Tensor x, double y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ((IObserved)this).Calibration?.CalledWithScalar();
        using var number = y.ToScalar();
        return Shifted(x, x.mul(number), (f, codes) => f.mul_scalar(codes[0], y));
    }

    /// <summary>The tensors one after the other along a dimension.</summary>
    /// <param name="x">At least one tensor; all other dimensions are equal.</param>
    /// <param name="dim">The dimension.</param>
    public virtual Tensor cat(IReadOnlyList<Tensor> x, int dim = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Observed(() => TorchSharp.torch.cat([.. x], dim), (f, codes) => f.cat(codes, dim), [.. x]);
    }

    /// <summary>max(0, x + y).</summary>
    /// <param name="x">A tensor.</param>
    /// <param name="y">A tensor.</param>
    public virtual Tensor add_relu(Tensor x, Tensor y) => Observed(
        () =>
        {
            using var sum = x + y;
            return sum.relu();
        },
        static (f, codes) => f.add_relu(codes[0], codes[1]), x, y);

    /// <summary>
    /// layer(...layer(x1)) + x2: the end of a block with a residual connection, as <c>torch.ao.nn.intrinsic.ConvAdd2d</c> has it. It is what calling the layers and <see cref="add"/> gives, in float, while
    /// observed and in training. Quantized, a convolution that the layers end with adds x2 itself where both lie with the channels last in memory: to the same codes, without a way to memory and back.
    /// </summary>
    /// <param name="x1">What the first layer takes.</param>
    /// <param name="x2">What is added.</param>
    /// <param name="layers">The convolution and, until they are fused, what belongs to it; layers before it may be there too, and a Sequential of such.</param>
    public virtual Tensor ConvAdd(Tensor x1, Tensor x2, params ReadOnlySpan<nn.Module<Tensor, Tensor>> layers)
    {
        CheckLayers(x1, x2, layers);
        using var y = LayerSequence.Call(layers, x1);
        return add(y, x2);
    }

    /// <summary>max(0, layer(...layer(x1)) + x2): as <see cref="ConvAdd"/>, with <see cref="add_relu"/>; <c>torch.ao.nn.intrinsic.ConvAddReLU2d</c>.</summary>
    /// <param name="x1">What the first layer takes.</param>
    /// <param name="x2">What is added.</param>
    /// <param name="layers">The convolution and, until they are fused, what belongs to it; layers before it may be there too, and a Sequential of such.</param>
    public virtual Tensor ConvAddReLU(Tensor x1, Tensor x2, params ReadOnlySpan<nn.Module<Tensor, Tensor>> layers)
    {
        CheckLayers(x1, x2, layers);
        using var y = LayerSequence.Call(layers, x1);
        return add_relu(y, x2);
    }

    /// <summary>The matrix product, batched and broadcast as <c>torch.matmul</c> is.</summary>
    /// <param name="x">A tensor.</param>
    /// <param name="y">A tensor.</param>
    /// <exception cref="ArgumentException">The shapes have no product.</exception>
    public virtual Tensor matmul(Tensor x, Tensor y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        MatmulShapes.Require(GetName(), x, y);
        return Observed(() => x.matmul(y), static (f, codes) => f.matmul(codes[0], codes[1]), x, y);
    }

    /// <summary>Always refused, as in PyTorch: which operation is meant?</summary>
    /// <param name="input">Not used.</param>
    /// <exception cref="InvalidOperationException">Always.</exception>
    public override Tensor forward(Tensor input) => throw new InvalidOperationException($"{GetName()} is not called as a module: call add, add_scalar, mul, mul_scalar, cat, add_relu, matmul, ConvAdd or ConvAddReLU.");

    /// <inheritdoc/>
    void IObserved.Attach(ObserverBase? observer, CalibrationRecord record)
    {
        _activation_post_process = observer;
        ((IObserved)this).Calibration = record;
        if (observer is not null)
            register_module(nameof(activation_post_process), observer);
    }

    /// <summary>As PyTorch prints it.</summary>
    public override string ToString() => activation_post_process is { } observer ? $"{GetName()}(\n  (activation_post_process): {observer}\n)" : $"{GetName()}()";

    private protected static void CheckLayers(Tensor x1, Tensor x2, ReadOnlySpan<nn.Module<Tensor, Tensor>> layers)
    {
        ArgumentNullException.ThrowIfNull(x1);
        ArgumentNullException.ThrowIfNull(x2);
        if (layers.IsEmpty)
            throw new ArgumentException("layers is empty; expected the convolution whose result is added. Of two tensors add or add_relu is the sum.", nameof(layers));
        foreach (var layer in layers)
            ArgumentNullException.ThrowIfNull(layer, nameof(layers));
    }

    private Tensor Observed(Func<Tensor> compute, Func<FloatFunctional, Tensor[], Tensor> int8, params Tensor[] x)
    {
        foreach (var tensor in x)
            ArgumentNullException.ThrowIfNull(tensor, nameof(x));
        return Int8Twin.Observe(this, compute, (twin, codes) => int8((FloatFunctional)twin, codes), x);
    }

    /// <summary>In quantization-aware training: int8 moves the zero point by whole steps, and a number between them is moved to one.</summary>
    private Tensor Shifted(Tensor x, Tensor result, Func<FloatFunctional, Tensor[], Tensor> int8) =>
        activation_post_process is FakeQuantizeBase { is_fake_quant_enabled: true } ? Int8Twin.OnInputGrid(this, result, (twin, codes) => int8((FloatFunctional)twin, codes), x) : result;
}
