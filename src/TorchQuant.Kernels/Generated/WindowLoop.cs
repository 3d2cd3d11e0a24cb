using static TorchQuant.Kernels.Generated.Gpr;

namespace TorchQuant.Kernels.Generated;

/// <summary>
/// As <see cref="TileLoop"/>, for rows whose depth is not one piece: what a window sees of an image, run by run. All rows of a tile move on together, from group to group by a step
/// that a table holds, so that nothing has to be gathered:
/// <code>
///   rdi            row 0; up to seven rows are 0 to 6 strides away, which an address holds with
///   rsi, r12, r13  one, three and five strides
///   rax            for more than seven rows: the first of the second half
///   r14            the steps, eight bytes each
///   r9             memory that is needed later and may be far away: fetched a cache line for each group
/// </code>
/// rsi, r12, r13, r9 and the tile's pointers are set by <see cref="PlacedTiles"/>.
/// </summary>
internal sealed class WindowLoop(Assembler asm, int rows, int vectors, int? first = null) : TileLoop(asm, rows, vectors, first, ahead: R9)
{
    /// <summary>Rows that one pointer serves.</summary>
    public const int RowsOfPointer = 7;

    private const int StepBytes = sizeof(long);

    /// <summary>Whether there is a second half.</summary>
    public bool HasSecond => Rows > RowsOfPointer;

    private int FirstHalf => HasSecond ? TilePlace.FirstHalf(Rows) : Rows;

    public override void SetPointers()
    {
    }

    public override IEnumerable<Action> Steps(int group, int set = 0)
    {
        foreach (Action step in base.Steps(group, set))
            yield return step;
        var bytes = new Memory(R14, group * StepBytes);
        yield return () => Asm.Add(Rdi, bytes);
        if (HasSecond)
            yield return () => Asm.Add(Rax, bytes);
    }

    protected override void AdvanceRows(int groups) => Asm.Add(R14, groups * StepBytes);

    protected override Memory Activations(int row, int group)
    {
        (Gpr half, int strides) = row < FirstHalf ? (Rdi, row) : (Rax, row - FirstHalf);
        return strides switch
        {
            0 => new Memory(half),
            1 or 2 or 4 => new Memory(half, Index: Rsi, Scale: strides),
            3 or 6 => new Memory(half, Index: R12, Scale: strides / 3),
            _ => new Memory(half, Index: R13),
        };
    }
}
