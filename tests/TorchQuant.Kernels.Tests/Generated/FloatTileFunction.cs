using TorchQuant.Kernels.Generated;
using Assembler = TorchQuant.Kernels.Generated.Assembler;

namespace TorchQuant.Kernels.Tests.Generated;

/// <summary>One of the generated functions that turn tiles into floats.</summary>
internal sealed record FloatTileFunction(int Rows, FloatTileForm Form)
{
    public static IEnumerable<FloatTileFunction> All =>
        from rows in Enumerable.Range(1, TileLoop.MaxRows)
        from form in Enum.GetValues<FloatTileForm>()
        select new FloatTileFunction(rows, form);

    /// <summary>Whether the function does with fewer columns than the most.</summary>
    public bool IsMasked => Form is FloatTileForm.OneVector or FloatTileForm.TwoVectors;

    public int MostColumns => Form == FloatTileForm.OneVector ? 16 : 32;

    /// <summary>From the end of a row of results to the next: the code that writes past the cache takes whole cache lines.</summary>
    public int Gap => Form == FloatTileForm.AheadPast ? 16 : 5;

    public byte[] Code(bool isWindows)
    {
        var asm = new Assembler();
        FloatTileCode.Append(asm, Rows, Form, isWindows);
        return asm.Code.ToArray();
    }
}
