namespace TorchQuant.Kernels;

/// <summary>
/// Float16 weights in panels of 32 output columns: <c>[N/32][K][16]</c> pairs of halves. A pair is a 32-bit word, column j below column j + 16, so that a vector of words is two vectors
/// of columns without a permutation. Zeros where N is no multiple of 32.
/// </summary>
internal sealed unsafe class HalfPanels
{
    /// <summary>The output columns of a panel.</summary>
    public const int Columns = 32;

    /// <summary>The words of one input in a panel.</summary>
    public const int Pairs = Columns / 2;

    /// <summary>Pinned: its address is fixed, so it can be aligned, and the garbage collector owns it.</summary>
    private readonly uint[] _memory;

    public HalfPanels(int outFeatures, int inFeatures)
    {
        (OutFeatures, InFeatures) = (outFeatures, inFeatures);
        Count = (outFeatures + Columns - 1) / Columns;
        long words = (long)Count * inFeatures * Pairs;
        if (words + CacheLine.Bytes > Array.MaxLength)
            throw new ArgumentException($"The weights take {words} words; expected at most {Array.MaxLength - CacheLine.Bytes}.", nameof(outFeatures));
        _memory = GC.AllocateArray<uint>((int)words + CacheLine.Bytes / sizeof(uint), pinned: true);
        fixed (uint* memory = _memory)
            Words = (uint*)CacheLine.Align(memory);
    }

    public int OutFeatures { get; }

    public int InFeatures { get; }

    /// <summary>The number of panels.</summary>
    public int Count { get; }

    /// <summary>The first panel.</summary>
    public uint* Words { get; }

    /// <summary>The bits of one weight; each is set once.</summary>
    public ushort this[int output, int input]
    {
        get => (ushort)(*Word(output, input) >> Shift(output));
        set => *Word(output, input) |= (uint)value << Shift(output);
    }

    private uint* Word(int output, int input) => Words + ((long)(output / Columns) * InFeatures + input) * Pairs + output % Pairs;

    private static int Shift(int output) => output % Columns / Pairs * 16;
}
