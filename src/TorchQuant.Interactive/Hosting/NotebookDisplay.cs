using System.Reflection;

namespace TorchQuant.Interactive;

/// <summary>
/// Shows a value in the notebook that runs the calling code, by the names that .NET Interactive and our host have: <c>Microsoft.DotNet.Interactive.Kernel.display(value, mimeTypes)</c>, whose result has
/// <c>Update(value)</c>.
/// </summary>
internal static class NotebookDisplay
{
    /// <summary>Shows <paramref name="value"/>; what replaces it, or null where no notebook runs.</summary>
    public static Action<object>? TryShow(object value)
    {
        var display = AppDomain.CurrentDomain.GetAssemblies().Where(assembly => !assembly.IsDynamic).Select(assembly => assembly.GetType("Microsoft.DotNet.Interactive.Kernel"))
            .OfType<Type>().Select(type => type.GetMethod("display", [typeof(object), typeof(string[])])).OfType<MethodInfo>().FirstOrDefault();
        if (display is null) return null;
        object? shown;
        try
        {
            shown = display.Invoke(null, [value, Array.Empty<string>()]);
        }
        catch (TargetInvocationException)
        {
            // The host's assembly is loaded, but it runs no cell on this thread.
            return null;
        }
        var update = shown?.GetType().GetMethod("Update", [typeof(object)]);
        return update is null ? null : changed => update.Invoke(shown, [changed]);
    }
}
