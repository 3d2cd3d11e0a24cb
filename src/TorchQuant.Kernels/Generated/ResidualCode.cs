namespace TorchQuant.Kernels.Generated;

/// <summary>
/// The instructions that add a residual to a vector of numbers of codes before they are rounded, operation by operation <see cref="Int8Add"/> after a product that gave codes. The address of the
/// tiles is in r8.
/// </summary>
/// <param name="asm">Where the code goes.</param>
/// <param name="moment">A register that is free for a moment.</param>
/// <param name="constants">Registers for the constants of <see cref="ByteTiles.Added"/>, two at least; those for which there is none are read from memory each time.</param>
/// <param name="firstMask">The mask of the columns 0 to 15.</param>
/// <param name="lastMask">The mask of the columns 16 to 31.</param>
internal sealed class ResidualCode(Assembler asm, int moment, int[] constants, int firstMask, int lastMask)
{
    private const int Scale = 0, AddedScale = 1, AddedZero = 2, Remainder = 3, Ratio = 4, Lowest = 5, Highest = 6;

    private static readonly ByteTilesLayout s_at = new();
    private static readonly int[] s_offsets = [s_at.Scale, s_at.AddedScale, s_at.AddedZero, s_at.Remainder, s_at.Ratio, s_at.AddedLowest, s_at.AddedHighest];

    /// <summary>How many constants there are.</summary>
    public static int Constants => s_offsets.Length;

    /// <summary>Loads what is the same for all tiles.</summary>
    public void LoadConstants()
    {
        asm.Kmovd(lastMask, At(s_at.LastColumns));
        for (int i = 0; i < constants.Length; i++)
            asm.Load(constants[i], At(s_offsets[i]));
    }

    /// <summary>From where the codes go to where those lie that are added to them.</summary>
    public void LoadPlace(Gpr target, Gpr output)
    {
        asm.Mov(target, At(s_at.AddedOffset));
        asm.Lea(target, new Memory(output, Index: target));
    }

    /// <summary>Asks for the residual of a tile, counted from the tile whose codes begin at <paramref name="output"/>. Changes both registers.</summary>
    public void Fetch(int rows, Gpr output, Gpr stride)
    {
        asm.Add(output, At(s_at.AddedOffset));
        asm.Add(output, At(s_at.AddedAhead));
        asm.Mov(stride, At(s_at.OutputStride));
        for (int row = 0; row < rows; row += 2)
        {
            asm.Prefetch(new Memory(output));
            if (row + 1 < rows)
                asm.Prefetch(new Memory(output, Index: stride));
            if (row + 2 < rows)
                asm.Lea(output, new Memory(output, Index: stride, Scale: 2));
        }
    }

    /// <summary>The instructions for one vector of columns of the row that is added at <paramref name="row"/>.</summary>
    public IEnumerable<Action> Add(int numbers, int vector, Memory row)
    {
        Memory codes = row with { Displacement = vector * TileLoop.VectorNumbers };
        yield return () => asm.Vpmovzxbd(moment, codes, vector == 0 ? firstMask : lastMask);
        yield return With(Lowest, constant => asm.Vmaxps(numbers, numbers, constant), constant => asm.Vmaxps(numbers, numbers, constant));
        yield return With(Highest, constant => asm.Vminps(numbers, numbers, constant), constant => asm.Vminps(numbers, numbers, constant));
        yield return () => asm.Vcvtdq2ps(moment, moment);
        yield return () => asm.VroundEven(numbers, numbers);
        yield return With(AddedZero, constant => asm.Vfmadd213ps(moment, constants[AddedScale], constant), constant => asm.Vfmadd213ps(moment, constants[AddedScale], constant));
        yield return With(Remainder, constant => asm.Vfmadd213ps(numbers, constants[Scale], constant), constant => asm.Vfmadd213ps(numbers, constants[Scale], constant));
        yield return () => asm.Vaddps(numbers, numbers, moment);
        yield return With(Ratio, constant => asm.Vmulps(numbers, numbers, constant), constant => asm.Vmulps(numbers, numbers, constant));
    }

    private Action With(int constant, Action<int> inRegister, Action<Memory> inMemory) =>
        constant < constants.Length ? () => inRegister(constants[constant]) : () => inMemory(At(s_offsets[constant]));

    private static Memory At(int offset) => new(Gpr.R8, offset);
}
