using System.Globalization;

namespace TorchQuant.Modules;

/// <summary>Reads the options that a file holds for a module, with messages that name the module and the option.</summary>
internal static class StateOptions
{
    /// <summary>An option that is <c>true</c> or <c>false</c>.</summary>
    /// <exception cref="ArgumentException">The option is missing or another.</exception>
    public static bool Bool(IReadOnlyDictionary<string, string> options, string name, string path) =>
        Text(options, name, path) switch
        {
            "true" => true,
            "false" => false,
            var other => throw new ArgumentException($"{path}: the option {name} is '{other}'; expected true or false."),
        };

    /// <summary>An option that is a whole number, at least <paramref name="least"/>.</summary>
    /// <exception cref="ArgumentException">The option is missing or another.</exception>
    public static int Int(IReadOnlyDictionary<string, string> options, string name, string path, int least = 0) =>
        int.TryParse(Text(options, name, path), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least
            ? value
            : throw new ArgumentException($"{path}: the option {name} is '{options[name]}'; expected a whole number of at least {least}.");

    /// <summary>An option that is a finite number.</summary>
    /// <exception cref="ArgumentException">The option is missing or another.</exception>
    public static double Double(IReadOnlyDictionary<string, string> options, string name, string path) =>
        double.TryParse(Text(options, name, path), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
            ? value
            : throw new ArgumentException($"{path}: the option {name} is '{options[name]}'; expected a finite number.");

    /// <summary>An option that is a list of sizes, each at least 1, with spaces between.</summary>
    /// <exception cref="ArgumentException">The option is missing or another.</exception>
    public static long[] Sizes(IReadOnlyDictionary<string, string> options, string name, string path)
    {
        var words = Text(options, name, path).Split(' ');
        var sizes = new long[words.Length];
        for (var i = 0; i < words.Length; i++)
            if (!long.TryParse(words[i], NumberStyles.None, CultureInfo.InvariantCulture, out sizes[i]) || sizes[i] < 1)
                throw new ArgumentException($"{path}: the option {name} is '{options[name]}'; expected sizes of at least 1 with spaces between.");
        return sizes;
    }

    /// <summary>An option.</summary>
    /// <exception cref="ArgumentException">The option is missing.</exception>
    public static string Text(IReadOnlyDictionary<string, string> options, string name, string path) =>
        options.TryGetValue(name, out var text)
            ? text
            : throw new ArgumentException($"{path}: the option {name} is missing; found {(options.Count == 0 ? "none" : string.Join(", ", options.Keys.Order(StringComparer.Ordinal)))}.");
}
