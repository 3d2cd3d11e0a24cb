using System.Runtime.InteropServices;
using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// The sum and the product of a tensor of codes and a number, which choose a scale and a zero point of their own instead of computing with every code; libtorch's rules.
/// With s, z of the input: x * c keeps the codes and has the scale s c; for c below 0 the scale s |c|, zero point and codes mirrored, 255 - q; for c = 0 scale 1, zero point 0, codes 0.
/// x + c keeps the codes and has the zero point z' = z - round(c / s); where that leaves 0..255, the scale is widened to s' so that the zero point is the nearest end, and the codes are
/// clamp(round_half_even((q - z + round(c / s)) * (s (1 / s'))) + end).
/// </summary>
internal sealed class CodeShift : IDisposable
{
    private const int MostOutputs = 8;

    private volatile QuantizedOutput[] _outputs = [];

    /// <summary>x + c.</summary>
    /// <exception cref="ArgumentException">The input is not quint8, or the number is not finite or too large for the scale; the message names the module.</exception>
    public Tensor Add<TModule>(TModule module, Tensor x, double c) where TModule : nn.Module, IQuantizedModule
    {
        var input = QuantizedInput.Read(module, x, nameof(x));
        double scale = input.Scale;
        var steps = Math.Round(Finite(module, c) / scale, MidpointRounding.ToEven);
        if (Math.Abs(steps) > int.MaxValue / 2)
            throw new ArgumentException($"{Float32OnCpu.Name(module)}: {c} is {steps:g3} times the input's scale {input.Scale}, which no scale of the sum could hold with the codes; add it to the float tensor.", nameof(c));
        var (shift, zeroPoint) = ((int)steps, input.ZeroPoint - (int)steps);
        if (zeroPoint is >= byte.MinValue and <= byte.MaxValue)
            return Copy(x, For(module, scale, zeroPoint), mirrored: false);
        var end = zeroPoint < byte.MinValue ? byte.MinValue : byte.MaxValue;
        var widened = (end == byte.MinValue ? byte.MaxValue - (double)zeroPoint : zeroPoint) / byte.MaxValue * scale;
        var multiplier = input.Scale * (1 / (float)widened);
        var table = new byte[CodeTable.Length];
        for (var code = 0; code < table.Length; code++)
            table[code] = (byte)Math.Clamp(MathF.Round((code - input.ZeroPoint + shift) * multiplier, MidpointRounding.ToEven) + end, byte.MinValue, byte.MaxValue);
        return Map(x, For(module, widened, end), (source, target) =>
        {
            for (var i = 0; i < source.Length; i++)
                target[i] = table[source[i]];
        });
    }

    /// <summary>x * c.</summary>
    /// <exception cref="ArgumentException">The input is not quint8, or the number is not finite or gives no scale; the message names the module.</exception>
    public Tensor Multiply<TModule>(TModule module, Tensor x, double c) where TModule : nn.Module, IQuantizedModule
    {
        var input = QuantizedInput.Read(module, x, nameof(x));
        return Finite(module, c) switch
        {
            0 => Map(x, For(module, 1, 0), static (_, target) => target.Clear()),
            > 0 => Copy(x, For(module, c * input.Scale, input.ZeroPoint), mirrored: false),
            _ => Copy(x, For(module, -c * input.Scale, byte.MaxValue - input.ZeroPoint), mirrored: true),
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var output in _outputs)
            output.Dispose();
    }

    private static double Finite<TModule>(TModule module, double c) where TModule : nn.Module, IQuantizedModule =>
        double.IsFinite(c) ? c : throw new ArgumentException($"{Float32OnCpu.Name(module)}: the number is {c}; expected a finite one.", nameof(c));

    private static Tensor Copy(Tensor x, QuantizedOutput output, bool mirrored) => mirrored
        ? Map(x, output, Mirror)
        : Map(x, output, static (source, target) => source.CopyTo(target));

    /// <summary>255 - q, which is the code with all bits turned.</summary>
    private static void Mirror(ReadOnlySpan<byte> source, Span<byte> target)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(source);
        var turned = MemoryMarshal.Cast<byte, ulong>(target);
        for (var i = 0; i < words.Length; i++)
            turned[i] = ~words[i];
        for (var i = words.Length * sizeof(ulong); i < source.Length; i++)
            target[i] = (byte)~source[i];
    }

    private static Tensor Map(Tensor x, QuantizedOutput output, CodeMap map)
    {
        using var source = MemoryOrder.Of(x, out var channelsLast);
        var codes = output.Empty(source.shape);
        map(source.Span<byte>(), codes.Span<byte>());
        return MemoryOrder.Restore(codes, channelsLast);
    }

    private QuantizedOutput For<TModule>(TModule module, double scale, int zeroPoint) where TModule : nn.Module, IQuantizedModule
    {
        var qparams = new QParams((float)scale, zeroPoint);
        foreach (var known in _outputs)
            if (known.QParams == qparams)
                return known;
        var made = new QuantizedOutput(OutputState.Checked(qparams, module.Path));
        _outputs = [made, .. _outputs.Take(MostOutputs - 1)]; // what falls out may be in use by another thread: the finalizer has it
        return made;
    }

    private delegate void CodeMap(ReadOnlySpan<byte> source, Span<byte> target);
}
