using Microsoft.AspNetCore.Html;
using TorchQuant.Notebooks.Engine;

namespace Microsoft.DotNet.Interactive;

/// <summary>
/// What a cell calls without naming a class. The names, the namespace and the signatures are those of .NET Interactive, so that a notebook
/// runs in both hosts, and so that a package that looks this type up by name in the loaded assemblies finds it in both.
/// </summary>
public static class Kernel
{
    /// <summary>Shows a value below the running cell, in addition to the value of the cell's last expression.</summary>
    /// <param name="value">The value; null is shown as <c>&lt;null&gt;</c>.</param>
    /// <param name="mimeTypes">The forms to show it in, for example <c>text/html</c>. None given: every form that the value's type prefers, and text/plain.</param>
    /// <returns>A handle whose <see cref="DisplayedValue.Update"/> replaces what was shown.</returns>
    /// <exception cref="InvalidOperationException">No notebook is running in this process.</exception>
    /// <exception cref="ArgumentException">The value has no formatter for a MIME type that was asked for.</exception>
    public static DisplayedValue display(object? value, params string[] mimeTypes)
    {
        ArgumentNullException.ThrowIfNull(mimeTypes);
        var shown = new DisplayedValue(SessionTarget.Output, Guid.NewGuid().ToString("N"), mimeTypes);
        shown.Show(value);
        return shown;
    }

    /// <summary>Marks a string as HTML: displayed, it is markup and not text.</summary>
    /// <param name="content">The markup. What comes from data must have been encoded by the caller.</param>
    /// <returns>The markup as a value that formats as text/html.</returns>
    public static IHtmlContent HTML(string content) => new HtmlString(content);

    /// <summary>Asks the person at the notebook for a line of text.</summary>
    /// <param name="prompt">What to ask.</param>
    /// <param name="isPassword">Whether the answer must not be shown while it is typed.</param>
    /// <returns>The answer.</returns>
    /// <exception cref="InvalidOperationException">Nobody can be asked: the notebook runs headless, or the front end takes no input.</exception>
    public static Task<string> GetInputAsync(string prompt = "", bool isPassword = false)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        var input = SessionTarget.Input;
        return Task.Run(() => input.Read(prompt, isPassword));
    }
}
