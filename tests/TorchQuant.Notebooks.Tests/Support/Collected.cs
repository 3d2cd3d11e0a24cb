using System.Text;
using TorchQuant.Notebooks.Engine;

namespace TorchQuant.Notebooks.Tests.Support;

/// <summary>Keeps what cells show, for assertions: console text, and displayed values in their last state.</summary>
internal sealed class Collected : ICellOutput
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _places = [];

    public StringBuilder Out { get; } = new();
    public StringBuilder Error { get; } = new();
    public List<MimeBundle> Shown { get; } = [];
    public List<bool> IsResult { get; } = [];
    public int Updates { get; private set; }

    public void Write(OutputStream stream, string text)
    {
        lock (_gate) (stream == OutputStream.Out ? Out : Error).Append(text);
    }

    public void Display(MimeBundle bundle, string? id)
    {
        lock (_gate)
        {
            if (id is not null) _places[id] = Shown.Count;
            Shown.Add(bundle);
            IsResult.Add(id is null);
        }
    }

    public void Update(string id, MimeBundle bundle)
    {
        lock (_gate)
        {
            Shown[_places[id]] = bundle;
            Updates++;
        }
    }
}
