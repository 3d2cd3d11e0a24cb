using Xunit;

namespace TorchQuant.Kernels.Tests.Generated;

/// <summary>Rows of tiles that lie anywhere in an image, overlap, and go on by steps of all kinds; their codes go to the output last tile first.</summary>
internal sealed unsafe class PlacedRows
{
    private const int Stride = 6, ImageBytes = 4096;

    private readonly byte[] _image;
    private readonly nint[] _steps;
    private readonly int[] _tiles;
    private readonly int _rows, _second;

    public PlacedRows(int rows, int tiles, int groups, int seed)
    {
        var random = new Random(seed);
        _image = Generators.Activations(ImageBytes, seed + 1);
        (_rows, _second) = (rows, random.Next(ImageBytes / 4));
        int[] places = [.. Enumerable.Range(0, groups).Select(_ => random.Next(ImageBytes / 4))];
        // The step after the last group leads nowhere.
        _steps = [.. Enumerable.Range(0, groups).Select(g => (nint)(g + 1 < groups ? places[g + 1] - places[g] : -1_000_000))];
        _tiles = [.. Enumerable.Range(0, tiles).Select(_ => random.Next(ImageBytes / 4))];
        Gathered = new byte[tiles * rows * groups * PackedWeights.GroupDepth];
        int half = rows > 7 ? (rows + 1) / 2 : rows;
        for (int i = 0; i < Gathered.Length; i++)
        {
            (int row, int k) = Math.DivRem(i, groups * PackedWeights.GroupDepth);
            (int tile, row) = Math.DivRem(row, rows);
            int at = _tiles[tiles - 1 - tile] + (row < half ? row * Stride : _second + (row - half) * Stride);
            Gathered[i] = _image[at + places[k / PackedWeights.GroupDepth] + k % PackedWeights.GroupDepth];
        }

        for (int tile = 0; tile < tiles; tile++)
            _tiles[tile] += places[0];
    }

    /// <summary>The rows one below the other, in the order of the output.</summary>
    public byte[] Gathered { get; }

    public void Run(ByteTiles* tiles, Action<nint> run, int outputStride)
    {
        var places = new TilePlace[_tiles.Length];
        fixed (TilePlace* place = places)
        fixed (nint* steps = _steps)
        fixed (byte* image = _image)
        {
            for (int tile = 0; tile < places.Length; tile++)
                place[tile] = new TilePlace { A = image + _tiles[tile], Second = _second, Output = (places.Length - 1 - tile) * _rows * outputStride };
            tiles->Stride = Stride;
            tiles->Steps = steps;
            tiles->Places = place;
            run((nint)tiles);
            Assert.Equal((nint)(place + places.Length), (nint)tiles->Places);
        }
    }
}
