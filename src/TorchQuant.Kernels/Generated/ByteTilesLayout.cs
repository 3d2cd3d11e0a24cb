namespace TorchQuant.Kernels.Generated;

/// <summary>Where the fields of <see cref="ByteTiles"/>, <see cref="TilePlace"/>, <see cref="ResidualTerms"/> and <see cref="ByteTerms"/> lie, in bytes from their beginning.</summary>
internal sealed unsafe class ByteTilesLayout
{
    public ByteTilesLayout()
    {
        ByteTiles tiles;
        byte* start = (byte*)&tiles;
        Terms = (int)((byte*)&tiles.Terms - start);
        A = (int)((byte*)&tiles.A - start);
        Stride = (int)((byte*)&tiles.Stride - start);
        Step = (int)((byte*)&tiles.Step - start);
        Places = (int)((byte*)&tiles.Places - start);
        Ahead = (int)((byte*)&tiles.Ahead - start);
        LaterAhead = (int)((byte*)&tiles.LaterAhead - start);
        AheadStep = (int)((byte*)&tiles.AheadStep - start);
        Steps = (int)((byte*)&tiles.Steps - start);
        Panel = (int)((byte*)&tiles.Panel - start);
        Groups = (int)((byte*)&tiles.Groups - start);
        Output = (int)((byte*)&tiles.Output - start);
        OutputStride = (int)((byte*)&tiles.OutputStride - start);
        Count = (int)((byte*)&tiles.Count - start);
        Columns = (int)((byte*)&tiles.Columns - start);
        ZeroPoints = (int)((byte*)tiles.ZeroPoints - start);
        Lowest = (int)(tiles.Lowest - start);
        Highest = (int)(tiles.Highest - start);
        Order = (int)((byte*)tiles.Order - start);
        LastColumns = (int)((byte*)&tiles.LastColumns - start);
        AddedOffset = (int)((byte*)&tiles.AddedOffset - start);
        AddedAhead = (int)((byte*)&tiles.AddedAhead - start);
        AddedLowest = (int)((byte*)tiles.Added.Lowest - start);
        AddedHighest = (int)((byte*)tiles.Added.Highest - start);
        Scale = (int)((byte*)tiles.Added.Scale - start);
        Remainder = (int)((byte*)tiles.Added.Remainder - start);
        AddedScale = (int)((byte*)tiles.Added.AddedScale - start);
        AddedZero = (int)((byte*)tiles.Added.AddedZero - start);
        Ratio = (int)((byte*)tiles.Added.Ratio - start);

        TilePlace place;
        start = (byte*)&place;
        Second = (int)((byte*)&place.Second - start);
        PlaceOutput = (int)((byte*)&place.Output - start);

        ByteTerms terms;
        start = (byte*)&terms;
        Corrections = (int)((byte*)terms.Corrections - start);
        Biases = (int)((byte*)terms.Biases - start);
        BiasFactor = (int)((byte*)&terms.BiasFactor - start);
        Multipliers = (int)((byte*)terms.Multipliers - start);
    }

    public int Terms { get; }
    public int A { get; }
    public int Stride { get; }
    public int Step { get; }
    public int Places { get; }
    public int Ahead { get; }
    public int LaterAhead { get; }
    public int AheadStep { get; }
    public int Steps { get; }
    public int Panel { get; }
    public int Groups { get; }
    public int Output { get; }
    public int OutputStride { get; }
    public int Count { get; }
    public int Columns { get; }
    public int ZeroPoints { get; }
    public int Lowest { get; }
    public int Highest { get; }
    public int Order { get; }
    public int LastColumns { get; }

    public int AddedOffset { get; }
    public int AddedAhead { get; }
    public int AddedLowest { get; }
    public int AddedHighest { get; }
    public int Scale { get; }
    public int Remainder { get; }
    public int AddedScale { get; }
    public int AddedZero { get; }
    public int Ratio { get; }

    public int Second { get; }
    public int PlaceOutput { get; }

    public int Corrections { get; }
    public int Biases { get; }
    public int BiasFactor { get; }
    public int Multipliers { get; }
}
