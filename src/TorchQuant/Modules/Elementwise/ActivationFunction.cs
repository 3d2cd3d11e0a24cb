using System.Globalization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A float function of one number: libtorch's operation with the option of its module.</summary>
/// <param name="Name">The name of PyTorch's module.</param>
/// <param name="Option">The name of its option, null where it has none.</param>
/// <param name="Value">The option's value in the invariant culture.</param>
/// <param name="Evaluate">The function, on a tensor; it gives a new one.</param>
internal sealed record ActivationFunction(string Name, string? Option, string? Value, Func<Tensor, Tensor> Evaluate)
{
    private const string FunctionOption = "function";
    private const string Alpha = "alpha";
    private const string NegativeSlope = "negative_slope";
    private const string Approximate = "approximate";

    /// <summary>What files hold.</summary>
    public IReadOnlyDictionary<string, string> Options => Option is null
        ? new Dictionary<string, string> { [FunctionOption] = Name }
        : new Dictionary<string, string> { [FunctionOption] = Name, [Option] = Value! };

    /// <summary>The function of a float module.</summary>
    /// <exception cref="ArgumentException">The module is none of the known.</exception>
    public static ActivationFunction Of(nn.Module module, string path) => module switch
    {
        Hardswish or Hardsigmoid or Sigmoid or Tanh or SiLU => Plain(module.GetType().Name)!,
        ELU elu => WithAlpha(Finite(elu.alpha, Alpha, path)),
        LeakyReLU leaky => WithNegativeSlope(Finite(leaky.negative_slope, NegativeSlope, path)),
        GELU gelu => WithApproximate(gelu.approximate),
        _ => throw new ArgumentException($"{path}: a {CSharpNames.Of(module.GetType())} is none of the functions that a table holds: Hardswish, Hardsigmoid, Sigmoid, Tanh, SiLU, ELU, LeakyReLU, GELU.", nameof(module)),
    };

    /// <summary>The function that a file names.</summary>
    /// <exception cref="ArgumentException">An option is missing or unknown.</exception>
    public static ActivationFunction Of(IReadOnlyDictionary<string, string> options, string path) => StateOptions.Text(options, FunctionOption, path) switch
    {
        nameof(ELU) => WithAlpha(StateOptions.Double(options, Alpha, path)),
        nameof(LeakyReLU) => WithNegativeSlope(StateOptions.Double(options, NegativeSlope, path)),
        nameof(GELU) => WithApproximate(Enum.TryParse<GELU.Approximate>(StateOptions.Text(options, Approximate, path), out var approximate) && Enum.IsDefined(approximate)
            ? approximate
            : throw new ArgumentException($"{path}: the option {Approximate} is '{options[Approximate]}'; expected {string.Join(" or ", Enum.GetNames<GELU.Approximate>())}.")),
        var name => Plain(name) ?? throw new ArgumentException($"{path}: the option {FunctionOption} is '{name}', which this version does not know; the file may come from a newer one."),
    };

    private static double Finite(double value, string option, string path) =>
        double.IsFinite(value) ? value : throw new ArgumentException($"{PackedState.Join(path, option)} is {value}; expected a finite number.");

    private static ActivationFunction? Plain(string name) => name switch
    {
        nameof(Hardswish) => new(name, null, null, x => x.hardswish()),
        nameof(Hardsigmoid) => new(name, null, null, x => x.hardsigmoid()),
        nameof(Sigmoid) => new(name, null, null, x => x.sigmoid()),
        nameof(Tanh) => new(name, null, null, x => x.tanh()),
        nameof(SiLU) => new(name, null, null, x => x.silu()),
        _ => null,
    };

    private static ActivationFunction WithAlpha(double alpha) => new(nameof(ELU), Alpha, Text(alpha), x => x.elu(alpha));

    private static ActivationFunction WithNegativeSlope(double slope) => new(nameof(LeakyReLU), NegativeSlope, Text(slope), x => x.leaky_relu(slope));

    private static ActivationFunction WithApproximate(GELU.Approximate approximate) => new(nameof(GELU), Approximate, approximate.ToString(), x => x.gelu(approximate));

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
