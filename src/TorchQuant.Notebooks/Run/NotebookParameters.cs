using System.Globalization;
using System.Text;
using Microsoft.CodeAnalysis.CSharp;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Run;

/// <summary>A parameter of the command line cannot be set; the message says why and what there is.</summary>
internal sealed class ParameterException(string message) : Exception(message);

/// <summary>
/// Values for the variables of the cell tagged <c>parameters</c>, as papermill does it: that cell runs with its defaults, then a cell with
/// assignments is put after it and runs.
/// </summary>
internal sealed class NotebookParameters
{
    /// <summary>The tag of the cell that declares the parameters.</summary>
    public const string Tag = "parameters";

    /// <summary>The tag of the cell that sets them; one left by an earlier run is replaced.</summary>
    public const string InjectedTag = "injected-parameters";

    private readonly List<KeyValuePair<string, string>> _values = [];

    /// <param name="arguments">Each <c>name=value</c>.</param>
    /// <exception cref="ParameterException">An argument has another form, or a name comes twice.</exception>
    public NotebookParameters(IEnumerable<string> arguments)
    {
        foreach (var argument in arguments)
        {
            var cut = argument.IndexOf('=', StringComparison.Ordinal);
            var name = cut > 0 ? argument[..cut].Trim() : "";
            if (!SyntaxFacts.IsValidIdentifier(name))
                throw new ParameterException($"--param {argument} is not of the form name=value, for example --param quick=true.");
            if (_values.Exists(value => value.Key == name)) throw new ParameterException($"--param {name} is given twice.");
            _values.Add(new(name, argument[(cut + 1)..]));
        }
    }

    public bool Any => _values.Count > 0;

    /// <summary>The code that sets the values, each as the type that its variable was declared with: assignments in C#, bindings in F#.</summary>
    /// <param name="variables">The variables that the tagged cell declared.</param>
    /// <param name="language">The tagged cell's language.</param>
    /// <exception cref="ParameterException">There is no such parameter, or its type cannot take the value.</exception>
    public string Assignments(IReadOnlyCollection<CellVariable> variables, CellLanguage language)
    {
        var code = new StringBuilder("// Set by --param\n");
        foreach (var (name, text) in _values)
        {
            var variable = variables.FirstOrDefault(v => v.Name == name) ?? throw new ParameterException(
                $"--param {name}: the notebook has no such parameter. It has: {string.Join(", ", variables.Select(v => $"{v.Name} ({TypeName(v.Type)})").Order(StringComparer.Ordinal))}.");
            if (language == CellLanguage.FSharp)
            {
                code.Append("let ").Append(name).Append(" = ").Append(Literal(variable, text, language)).Append('\n');
                continue;
            }
            if (variable.IsReadOnly) throw new ParameterException($"--param {name}: it is declared const or readonly in the notebook, so it cannot be set.");
            code.Append(name).Append(" = ").Append(Literal(variable, text, language)).Append(";\n");
        }
        return code.ToString().TrimEnd();
    }

    private static string Literal(CellVariable variable, string text, CellLanguage language)
    {
        var invariant = CultureInfo.InvariantCulture;
        var literal = Type.GetTypeCode(Nullable.GetUnderlyingType(variable.Type) ?? variable.Type) switch
        {
            TypeCode.String => SymbolDisplay.FormatLiteral(text, quote: true),
            TypeCode.Boolean when bool.TryParse(text, out var value) => value ? "true" : "false",
            TypeCode.Int32 when int.TryParse(text, NumberStyles.Integer, invariant, out var value) => value.ToString(invariant),
            TypeCode.Int64 when long.TryParse(text, NumberStyles.Integer, invariant, out var value) => value.ToString(invariant) + "L",
            TypeCode.Single when float.TryParse(text, NumberStyles.Float, invariant, out var value) && float.IsFinite(value) => value.ToString("R", invariant) + "f",
            TypeCode.Double when double.TryParse(text, NumberStyles.Float, invariant, out var value) && double.IsFinite(value) => value.ToString("R", invariant) + (language == CellLanguage.CSharp ? "d" : value == Math.Floor(value) && Math.Abs(value) < 1e15 ? ".0" : ""),
            TypeCode.Decimal when decimal.TryParse(text, NumberStyles.Number, invariant, out var value) => value.ToString(invariant) + "m",
            _ => null,
        };
        return literal ?? throw new ParameterException(
            $"--param {variable.Name}={text}: the parameter is of type {TypeName(variable.Type)}, which cannot take '{text}'. Types that can be set: bool, int, long, float, double, decimal, string.");
    }

    private static string TypeName(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Boolean => "bool",
        TypeCode.Int32 => "int",
        TypeCode.Int64 => "long",
        TypeCode.Single => "float",
        TypeCode.Double => "double",
        TypeCode.Decimal => "decimal",
        TypeCode.String => "string",
        _ => type.Name,
    };
}
