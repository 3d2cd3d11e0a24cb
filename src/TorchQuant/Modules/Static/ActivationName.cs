using TorchQuant.Kernels;

namespace TorchQuant.Modules;

/// <summary>How files and printed models call the activation that is fused into an int8 module.</summary>
internal static class ActivationName
{
    private static readonly (FusedActivation Activation, string Name, string Suffix)[] s_rows =
    [
        (FusedActivation.None, "none", ""), (FusedActivation.Relu, "relu", "ReLU"), (FusedActivation.Relu6, "relu6", "ReLU6"), (FusedActivation.Hardswish, "hardswish", "Hardswish"),
    ];

    /// <summary>The name in files: <c>relu</c>.</summary>
    public static string Of(FusedActivation activation) => Array.Find(s_rows, r => r.Activation == activation).Name;

    /// <summary>What PyTorch appends to the module's name: <c>ReLU</c>.</summary>
    public static string Suffix(FusedActivation activation) => Array.Find(s_rows, r => r.Activation == activation).Suffix;

    /// <summary>The activation that a file names.</summary>
    /// <exception cref="ArgumentException">The option is missing or another.</exception>
    public static FusedActivation Parse(IReadOnlyDictionary<string, string> options, string option, string path)
    {
        var name = StateOptions.Text(options, option, path);
        var row = Array.Find(s_rows, r => r.Name == name);
        return row.Name is not null
            ? row.Activation
            : throw new ArgumentException($"{path}: the option {option} is '{name}'; expected {string.Join(", ", s_rows.Select(r => r.Name))}.");
    }
}
