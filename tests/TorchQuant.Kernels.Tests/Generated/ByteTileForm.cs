using TorchQuant.Kernels.Generated;
using Assembler = TorchQuant.Kernels.Generated.Assembler;

namespace TorchQuant.Kernels.Tests.Generated;

/// <summary>One of the generated functions that requantize tiles.</summary>
internal sealed record ByteTileForm(int Rows, int MostColumns, int LeastGroups, Action<Assembler, bool> Append, bool ArePlaced = false, bool IsSimple = false, bool HasResidual = false)
{
    public static IEnumerable<ByteTileForm> All =>
    [
        .. from rows in Enumerable.Range(1, TileLoop.MaxRows)
           from vectors in new[] { 1, 2 }
           select new ByteTileForm(rows, vectors * 16, 1, (asm, isWindows) => ByteTileCode.Append(asm, rows, vectors, isWindows)),
        .. from rows in Enumerable.Range(1, TileLoop.MaxRows)
           select new ByteTileForm(rows, 32, 1, (asm, isWindows) => ByteTileCode.Append(asm, rows, 2, isWindows, isStreaming: true)),
        .. from missing in new[] { 0, 1 }
           from hasManyGroups in new[] { false, true }
           from isSimple in new[] { false, true }
           let rows = (hasManyGroups ? PipelinedByteTileCode.RowsOfManyGroups : PipelinedByteTileCode.RowsOfFewGroups) - missing
           select new ByteTileForm(
               rows, 32, hasManyGroups ? PipelinedByteTileCode.ManyGroups : PipelinedByteTileCode.FewGroups,
               (asm, isWindows) => PipelinedByteTileCode.Append(asm, rows, hasManyGroups, isSimple, isWindows), IsSimple: isSimple),
        .. from rows in Enumerable.Range(1, TileLoop.MaxRows)
           from vectors in new[] { 1, 2 }
           select new ByteTileForm(rows, vectors * 16, 1, (asm, isWindows) => ByteTileCode.Append(asm, rows, vectors, isWindows, arePlaced: true), ArePlaced: true),
        .. from rows in Enumerable.Range(1, PipelinedByteTileCode.RowsOfManyGroups)
           from isSimple in new[] { false, true }
           select new ByteTileForm(
               rows, 32, PipelinedByteTileCode.ManyGroups,
               (asm, isWindows) => PipelinedByteTileCode.Append(asm, rows, hasManyGroups: true, isSimple, isWindows, arePlaced: true), ArePlaced: true, IsSimple: isSimple),
        .. WithResidual,
    ];

    private static IEnumerable<ByteTileForm> WithResidual =>
    [
        .. from form in ResidualForm.All.ToArray()
           from rows in Enumerable.Range(1, form.MostRows)
           from isSimple in new[] { false, true }
           select new ByteTileForm(rows, 32, form.LeastGroups, (asm, isWindows) => PipelinedByteTileCode.Append(asm, rows, form, isSimple, isWindows), IsSimple: isSimple, HasResidual: true),
    ];

    public byte[] Code(bool isWindows)
    {
        var asm = new Assembler();
        Append(asm, isWindows);
        return asm.Code.ToArray();
    }
}
