namespace TorchQuant.Kernels.Generated;

/// <summary>
/// The instructions that add a residual to a vector of numbers of codes before they are rounded, operation by operation <see cref="Int8Add"/> after a product that gave codes. Constants come from
/// <see cref="ByteTiles.Added"/>, but for the two scales: an instruction takes one operand from memory.
/// </summary>
/// <param name="asm">Where the code goes.</param>
/// <param name="scale">The register of the computed codes' scale.</param>
/// <param name="addedScale">The register of the residual's scale.</param>
/// <param name="moment">A register that is free for a moment.</param>
/// <param name="firstMask">The mask of the columns 0 to 15.</param>
/// <param name="lastMask">The mask of the columns 16 to 31.</param>
internal sealed class ResidualCode(Assembler asm, int scale, int addedScale, int moment, int firstMask, int lastMask)
{
    private static readonly ByteTilesLayout s_at = new();

    /// <summary>Loads what is the same for all tiles.</summary>
    /// <param name="tiles">The address of the tiles.</param>
    public void LoadMasks(Gpr tiles) => asm.Kmovd(lastMask, new Memory(tiles, s_at.LastColumns));

    /// <summary>Loads the scales.</summary>
    /// <param name="tiles">The address of the tiles.</param>
    public void LoadScales(Gpr tiles)
    {
        asm.Load(scale, new Memory(tiles, s_at.Scale));
        asm.Load(addedScale, new Memory(tiles, s_at.AddedScale));
    }

    /// <summary>From where the codes go to where those lie that are added to them.</summary>
    public void LoadPlace(Gpr target, Gpr output, Gpr tiles)
    {
        asm.Mov(target, new Memory(tiles, s_at.AddedOffset));
        asm.Lea(target, new Memory(output, Index: target));
    }

    /// <summary>The instructions for one vector of columns, whose codes lie at <paramref name="row"/>.</summary>
    public IEnumerable<Action> Add(int numbers, int vector, Memory row, Gpr tiles)
    {
        Memory codes = row with { Displacement = vector * TileLoop.VectorNumbers };
        yield return () => asm.Vmaxps(numbers, numbers, new Memory(tiles, s_at.AddedLowest));
        yield return () => asm.Vpmovzxbd(moment, codes, vector == 0 ? firstMask : lastMask);
        yield return () => asm.Vminps(numbers, numbers, new Memory(tiles, s_at.AddedHighest));
        yield return () => asm.Vcvtdq2ps(moment, moment);
        yield return () => asm.VroundEven(numbers, numbers);
        yield return () => asm.Vfmadd213ps(moment, addedScale, new Memory(tiles, s_at.AddedZero));
        yield return () => asm.Vfmadd213ps(numbers, scale, new Memory(tiles, s_at.Remainder));
        yield return () => asm.Vaddps(numbers, numbers, moment);
        yield return () => asm.Vmulps(numbers, numbers, new Memory(tiles, s_at.Ratio));
    }
}
