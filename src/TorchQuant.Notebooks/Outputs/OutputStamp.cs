using System.Security.Cryptography;
using System.Text;
using TorchQuant.Notebooks.Documents;

namespace TorchQuant.Notebooks.Outputs;

/// <summary>Says of which code a notebook's outputs are: each cell's stamp names its own code and that of all cells before it, because any of them may change what it shows.</summary>
internal static class OutputStamp
{
    private const int Digits = 16;

    /// <summary>The code cells with the stamps that outputs of their present code have.</summary>
    public static IEnumerable<(NotebookCell Cell, string Stamp)> Of(NotebookDocument document)
    {
        var before = "";
        foreach (var cell in document.Cells.Where(cell => cell.IsCode && !string.IsNullOrWhiteSpace(cell.Source)))
        {
            before = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(before + "\n" + cell.Source)))[..Digits];
            yield return (cell, before);
        }
    }
}
