using TorchQuant.Notebooks.Engine;

namespace Microsoft.DotNet.Interactive;

/// <summary>A value that is shown in the notebook and can be shown anew in the same place: progress, a growing chart.</summary>
public sealed class DisplayedValue
{
    private readonly ICellOutput _output;
    private readonly string _id;
    private readonly string[] _mimeTypes;

    internal DisplayedValue(ICellOutput output, string id, string[] mimeTypes)
    {
        _output = output;
        _id = id;
        _mimeTypes = mimeTypes;
    }

    /// <summary>The forms that were asked for when the value was displayed; empty when its type decides.</summary>
    public IReadOnlyCollection<string> MimeTypes => _mimeTypes;

    /// <summary>Replaces what is shown, also from a later cell or another thread.</summary>
    /// <param name="updatedValue">The new value.</param>
    /// <exception cref="ArgumentException">The value has no formatter for a MIME type that was asked for at first.</exception>
    public void Update(object? updatedValue) => _output.Update(_id, ValueFormatter.Format(updatedValue, _mimeTypes));

    internal void Show(object? value) => _output.Display(ValueFormatter.Format(value, _mimeTypes), _id);
}
