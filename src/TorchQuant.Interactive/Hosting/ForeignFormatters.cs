using System.Reflection;
using TorchSharp;

namespace TorchQuant.Interactive;

/// <summary>Registers what shows a type that cannot carry our attribute, by reflection on the host's <c>Formatter</c>: its Register(Type, Action&lt;object, TextWriter&gt;, string).</summary>
internal static class ForeignFormatters
{
    /// <summary>One row per type: how it is shown. A type's row serves its subclasses too.</summary>
    internal static IReadOnlyList<(Type Type, Func<object, Visual> Show)> Rows { get; } =
    [
        (typeof(torch.Tensor), value => Display.Of((torch.Tensor)value)),
        (typeof(torch.nn.Module), value => Display.Of((torch.nn.Module)value)),
        (typeof(ObserverBase), value => Display.Of((ObserverBase)value)),
        (typeof(QConfig), value => Display.Of((QConfig)value)),
        (typeof(LayerErrors), value => Display.Of((LayerErrors)value)),
        (typeof(ModelSize), value => Display.Of((ModelSize)value)),
        (typeof(SizeComparison), value => Display.Of((SizeComparison)value)),
        (typeof(Timing), value => Display.Of((Timing)value)),
        (typeof(TimingComparison), value => Display.Of((TimingComparison)value)),
    ];

    /// <exception cref="MissingMethodException">The host's formatter has another shape than all known ones.</exception>
    public static void Register(Assembly formatting)
    {
        var formatter = formatting.GetType("Microsoft.DotNet.Interactive.Formatting.Formatter", throwOnError: true)!;
        var register = formatter.GetMethods(BindingFlags.Public | BindingFlags.Static).FirstOrDefault(IsRegister)
            ?? throw new MissingMethodException($"{formatting.FullName} has no Formatter.Register(Type, Action<object, TextWriter>, string); use ToHtml() of the values instead of display.");
        var prefer = formatter.GetMethod("SetPreferredMimeTypesFor", [typeof(Type), typeof(string[])]);
        foreach (var (type, show) in Rows)
        {
            Add(type, MimeTypes.Html, value => show(value).ToHtml());
            Add(type, MimeTypes.Text, value => show(value).ToText());
            prefer?.Invoke(null, [type, new[] { MimeTypes.Html, MimeTypes.Text }]);
        }

        void Add(Type type, string mimeType, Func<object, string> write)
        {
            Action<object, TextWriter> format = (value, writer) => writer.Write(write(value));
            // Older hosts have a fourth, optional parameter.
            object?[] arguments = [type, format, mimeType, .. register.GetParameters().Skip(3).Select(parameter => parameter.DefaultValue)];
            register.Invoke(null, arguments);
        }
    }

    private static bool IsRegister(MethodInfo method)
    {
        if (method.Name != "Register" || method.IsGenericMethod) return false;
        var parameters = method.GetParameters();
        return parameters.Length >= 3 && parameters[0].ParameterType == typeof(Type) && parameters[1].ParameterType == typeof(Action<object, TextWriter>)
            && parameters[2].ParameterType == typeof(string) && parameters.Skip(3).All(parameter => parameter.IsOptional);
    }
}
