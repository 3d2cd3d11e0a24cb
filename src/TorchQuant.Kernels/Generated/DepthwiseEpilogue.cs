namespace TorchQuant.Kernels.Generated;

/// <summary>
/// The instructions from four vectors of sums to the codes of 64 channels: as in <see cref="ByteEpilogue{TLanes, TFloat, TInt}"/> with finite terms, but that the lower end of the codes is
/// applied to bytes. Packing works within 128 bits, as unpacking does, and so brings the channels back into order.
/// </summary>
/// <param name="asm">Where the code goes.</param>
/// <param name="terms">The address of the <see cref="DepthwiseTerms"/>.</param>
/// <param name="constants">The first of four registers for what is the same for all channels.</param>
/// <param name="biases">The first of four registers for the biases.</param>
/// <param name="multipliers">The first of four registers for the multipliers; or null, and they are read from memory.</param>
internal sealed class DepthwiseEpilogue(Assembler asm, Gpr terms, int constants, int biases, int? multipliers = null)
{
    private const int Vectors = 4, VectorBytes = 64;

    private int BiasFactor => constants;

    private int Highest => constants + 1;

    private int ZeroPoint => constants + 2;

    private int Lowest => constants + 3;

    /// <summary>Loads what is the same for all channels.</summary>
    public void LoadConstants()
    {
        asm.Vpbroadcastd(BiasFactor, new Memory(terms, DepthwiseTerms.BiasFactor));
        asm.Vpbroadcastd(Highest, new Memory(terms, DepthwiseTerms.Highest));
        asm.Vpbroadcastd(ZeroPoint, new Memory(terms, DepthwiseTerms.ZeroPoint));
        asm.Vpbroadcastd(Lowest, new Memory(terms, DepthwiseTerms.Lowest));
    }

    /// <summary>Loads the biases, and the multipliers if they have registers.</summary>
    public void LoadBiases()
    {
        for (int v = 0; v < Vectors; v++)
        {
            asm.Load(biases + v, At(DepthwiseTerms.Biases, v));
            if (multipliers is { } first)
                asm.Load(first + v, At(DepthwiseTerms.Multipliers, v));
        }
    }

    /// <summary>The codes of four vectors of sums, in place of the first.</summary>
    public void Requantize(int sums)
    {
        for (int v = 0; v < Vectors; v++)
        {
            asm.Vcvtdq2ps(sums + v, sums + v);
            asm.Vfmadd231ps(sums + v, biases + v, BiasFactor);
            if (multipliers is { } first)
                asm.Vmulps(sums + v, sums + v, first + v);
            else
                asm.Vmulps(sums + v, sums + v, At(DepthwiseTerms.Multipliers, v));
            asm.Vminps(sums + v, sums + v, Highest);
            asm.Vcvtps2dq(sums + v, sums + v);
        }

        asm.Vpackssdw(sums, sums, sums + 1);
        asm.Vpackssdw(sums + 2, sums + 2, sums + 3);
        asm.Vpaddsw(sums, sums, ZeroPoint);
        asm.Vpaddsw(sums + 2, sums + 2, ZeroPoint);
        asm.Vpackuswb(sums, sums, sums + 2);
        asm.Vpmaxub(sums, sums, Lowest);
    }

    private Memory At(int offset, int vector) => new(terms, offset + vector * VectorBytes);
}
