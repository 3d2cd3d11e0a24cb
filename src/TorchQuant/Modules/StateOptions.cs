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

    /// <summary>An option that is a list of finite numbers with spaces between.</summary>
    /// <exception cref="ArgumentException">The option is missing or another.</exception>
    public static double[] Doubles(IReadOnlyDictionary<string, string> options, string name, string path)
    {
        var words = Text(options, name, path).Split(' ');
        var values = new double[words.Length];
        for (var i = 0; i < words.Length; i++)
            if (!double.TryParse(words[i], NumberStyles.Float, CultureInfo.InvariantCulture, out values[i]) || !double.IsFinite(values[i]))
                throw new ArgumentException($"{path}: the option {name} is '{options[name]}'; expected finite numbers with spaces between.");
        return values;
    }

    /// <summary>Writes whole numbers as <see cref="Ints"/> reads them: <c>1,2</c>.</summary>
    public static string Of(IEnumerable<int> numbers) => string.Join(',', numbers.Select(n => n.ToString(CultureInfo.InvariantCulture)));

    /// <summary>An option that is whole numbers with commas between, each at least <paramref name="least"/>.</summary>
    /// <exception cref="ArgumentException">The option is missing, has another count, or is another.</exception>
    public static int[] Ints(IReadOnlyDictionary<string, string> options, string name, string path, int count, int least = 0)
    {
        var parts = Text(options, name, path).Split(',');
        var numbers = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
            if (parts.Length != count || !int.TryParse(parts[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out numbers[i]) || numbers[i] < least)
                throw new ArgumentException($"{path}: the option {name} is '{options[name]}'; expected {count} whole numbers of at least {least} with commas between.");
        return numbers;
    }

    /// <summary>An option.</summary>
    /// <exception cref="ArgumentException">The option is missing.</exception>
    public static string Text(IReadOnlyDictionary<string, string> options, string name, string path) =>
        options.TryGetValue(name, out var text)
            ? text
            : throw new ArgumentException($"{path}: the option {name} is missing; found {(options.Count == 0 ? "none" : string.Join(", ", options.Keys.Order(StringComparer.Ordinal)))}.");
}
