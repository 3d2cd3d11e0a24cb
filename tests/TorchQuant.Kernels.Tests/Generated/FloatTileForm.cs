using TorchQuant.Kernels.Generated;
using Assembler = TorchQuant.Kernels.Generated.Assembler;

namespace TorchQuant.Kernels.Tests.Generated;

/// <summary>One of the generated functions that turn tiles into floats.</summary>
internal sealed record FloatTileForm(int Rows, int Vectors, bool IsMasked)
{
    public static IEnumerable<FloatTileForm> All =>
        from rows in Enumerable.Range(1, TileLoop.MaxRows)
        from form in new[] { (Vectors: 1, IsMasked: true), (Vectors: 2, IsMasked: true), (Vectors: 2, IsMasked: false) }
        select new FloatTileForm(rows, form.Vectors, form.IsMasked);

    public int MostColumns => Vectors * 16;

    public byte[] Code(bool isWindows)
    {
        var asm = new Assembler();
        FloatTileCode.Append(asm, Rows, Vectors, IsMasked, isWindows);
        return asm.Code.ToArray();
    }
}
