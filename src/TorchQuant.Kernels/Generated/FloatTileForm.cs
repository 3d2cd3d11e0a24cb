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

    /// <summary>All 32 columns, weights from beyond the second level of the cache or results that go there: both are asked for ahead.</summary>
    Streamed,
}
