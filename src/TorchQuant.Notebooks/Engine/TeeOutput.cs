namespace TorchQuant.Notebooks.Engine;

/// <summary>Sends output to several places.</summary>
internal sealed class TeeOutput(params ICellOutput[] targets) : ICellOutput
{
    public void Write(OutputStream stream, string text)
    {
        foreach (var target in targets) target.Write(stream, text);
    }

    public void Display(MimeBundle bundle, string? id)
    {
        foreach (var target in targets) target.Display(bundle, id);
    }

    public void Update(string id, MimeBundle bundle)
    {
        foreach (var target in targets) target.Update(id, bundle);
    }
}
