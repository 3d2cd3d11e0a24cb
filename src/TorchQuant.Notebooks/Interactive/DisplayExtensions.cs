using Microsoft.DotNet.Interactive;
using TorchQuant.Notebooks.Engine;

namespace System;

/// <summary><c>value.Display()</c>, where .NET Interactive has it: in the namespace that every cell imports.</summary>
public static class DisplayExtensions
{
    /// <summary>Shows a value below the running cell; the same as <see cref="Kernel.display"/>.</summary>
    /// <param name="value">The value.</param>
    /// <param name="mimeTypes">The forms to show it in; none given: those that its type prefers.</param>
    /// <returns>A handle that can replace what was shown.</returns>
    public static DisplayedValue Display(this object? value, params string[] mimeTypes) => Kernel.display(value, mimeTypes);

    /// <summary>Shows a text that already is in the given form, for example markup as text/html or a drawing as image/svg+xml.</summary>
    /// <param name="value">The text.</param>
    /// <param name="mimeType">What the text is.</param>
    /// <returns>A handle that can replace what was shown by another text of the same form.</returns>
    public static DisplayedValue DisplayAs(this string value, string mimeType)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(mimeType);
        var shown = new DisplayedValue(SessionTarget.Output, Guid.NewGuid().ToString("N"), [mimeType]);
        shown.Show(value is null ? null : new PreformattedText(value));
        return shown;
    }
}
