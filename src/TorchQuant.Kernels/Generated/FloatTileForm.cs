namespace TorchQuant.Kernels.Generated;

/// <summary>The kinds of <see cref="FloatTileCode"/>.</summary>
internal enum FloatTileForm
{
    /// <summary>Up to 16 columns.</summary>
    OneVector,

    /// <summary>Up to 32 columns.</summary>
    TwoVectors,

    /// <summary>All 32 columns.</summary>
    Whole,

    /// <summary>All 32 columns, weights from beyond the second level of the cache that only this tile needs: they are asked for ahead.</summary>
    Streamed,

    /// <summary>All 32 columns: <see cref="FloatTiles.Ahead"/> is fetched.</summary>
    Ahead,

    /// <summary>The same, where results go beyond the second level of the cache: the next panel's are asked for ahead of writing.</summary>
    AheadSpread,

    /// <summary>The same, where results go to memory and each of their vectors is a cache line: they are written past the cache.</summary>
    AheadPast,
}
