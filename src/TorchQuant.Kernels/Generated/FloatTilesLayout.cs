namespace TorchQuant.Kernels.Generated;

/// <summary>Where the fields of <see cref="FloatTiles"/> lie, in bytes from its beginning.</summary>
internal sealed unsafe class FloatTilesLayout
{
    public FloatTilesLayout()
    {
        FloatTiles tiles;
        byte* start = (byte*)&tiles;
        ColumnSums = (int)((byte*)&tiles.ColumnSums - start);
        ColumnScales = (int)((byte*)&tiles.ColumnScales - start);
        Biases = (int)((byte*)&tiles.Biases - start);
        SumStep = (int)((byte*)&tiles.SumStep - start);
        ScaleStep = (int)((byte*)&tiles.ScaleStep - start);
        BiasStep = (int)((byte*)&tiles.BiasStep - start);
        A = (int)((byte*)&tiles.A - start);
        AStep = (int)((byte*)&tiles.AStep - start);
        Stride = (int)((byte*)&tiles.Stride - start);
        Panel = (int)((byte*)&tiles.Panel - start);
        PanelStep = (int)((byte*)&tiles.PanelStep - start);
        Groups = (int)((byte*)&tiles.Groups - start);
        Output = (int)((byte*)&tiles.Output - start);
        OutputStep = (int)((byte*)&tiles.OutputStep - start);
        OutputStride = (int)((byte*)&tiles.OutputStride - start);
        Count = (int)((byte*)&tiles.Count - start);
        Accumulate = (int)((byte*)&tiles.Accumulate - start);
        Scale = (int)((byte*)&tiles.Scale - start);
        NegatedZeroPoint = (int)((byte*)&tiles.NegatedZeroPoint - start);
        Floor = (int)((byte*)&tiles.Floor - start);
        FirstColumns = (int)((byte*)&tiles.FirstColumns - start);
        LastColumns = (int)((byte*)&tiles.LastColumns - start);
        Ahead = (int)((byte*)&tiles.Ahead - start);
        LaterAhead = (int)((byte*)&tiles.LaterAhead - start);
    }

    public int ColumnSums { get; }
    public int ColumnScales { get; }
    public int Biases { get; }
    public int SumStep { get; }
    public int ScaleStep { get; }
    public int BiasStep { get; }
    public int A { get; }
    public int AStep { get; }
    public int Stride { get; }
    public int Panel { get; }
    public int PanelStep { get; }
    public int Groups { get; }
    public int Output { get; }
    public int OutputStep { get; }
    public int OutputStride { get; }
    public int Count { get; }
    public int Accumulate { get; }
    public int Scale { get; }
    public int NegatedZeroPoint { get; }
    public int Floor { get; }
    public int FirstColumns { get; }
    public int LastColumns { get; }
    public int Ahead { get; }
    public int LaterAhead { get; }
}
