namespace TorchQuant.Notebooks.Engine;

/// <summary>Which of the process's two text streams a cell wrote to.</summary>
internal enum OutputStream
{
    Out,
    Error,
}

/// <summary>Where the output of a running cell goes, in the order in which it comes. Called from any thread.</summary>
internal interface ICellOutput
{
    /// <summary>Console text, in pieces as they were written.</summary>
    void Write(OutputStream stream, string text);

    /// <summary>A displayed value. With an <paramref name="id"/> it may be replaced later; without, it is the value of the cell's last expression.</summary>
    void Display(MimeBundle bundle, string? id);

    /// <summary>Replaces what was displayed under <paramref name="id"/>, in whichever cell that was.</summary>
    void Update(string id, MimeBundle bundle);
}
