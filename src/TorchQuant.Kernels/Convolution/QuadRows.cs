namespace TorchQuant.Kernels;

/// <summary>Up to four rows of the input; where there is none, zero points that are read again and again.</summary>
internal unsafe struct QuadRows
{
    public byte* R0;
    public byte* R1;
    public byte* R2;
    public byte* R3;

    /// <summary>How many are in use.</summary>
    public int Used;

    /// <summary>A vector of zero points.</summary>
    public byte* Zeros;

    /// <summary>The highest address of a row, null if none is in the input.</summary>
    public readonly byte* Highest
    {
        get
        {
            byte* highest = R0;
            if (Used > 1 && R1 > highest)
                highest = R1;
            if (Used > 2 && R2 > highest)
                highest = R2;
            return Used > 3 && R3 > highest ? R3 : highest;
        }
    }

    /// <summary>The zero point in the bytes of the rows in use.</summary>
    public readonly int ZeroQuad => (int)(*(uint*)Zeros >> (32 - 8 * Used));

    /// <summary>Adds a row, or null for one beyond the input.</summary>
    public void Add(byte* row)
    {
        switch (Used++)
        {
            case 0: R0 = row; break;
            case 1: R1 = row; break;
            case 2: R2 = row; break;
            default: R3 = row; break;
        }
    }
}
