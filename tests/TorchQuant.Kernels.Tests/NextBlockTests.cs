using Xunit;

namespace TorchQuant.Kernels.Tests;

public unsafe class NextBlockTests
{
    private const int TileGroups = 10, Pass = TileGroups * 64;

    /// <summary>The panels of a block, from the first to the last, fetch the output and then the input, each from its beginning to its end at least, and nothing twice.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    [InlineData(Pass, Pass)]
    [InlineData(Pass + 1, 3 * Pass - 1)]
    [InlineData(5 * Pass, Pass / 2)]
    public void All_of_the_next_block_is_fetched_by_the_last_panels_of_a_block(int inputBytes, int outputBytes)
    {
        byte* input = (byte*)1_000_000, output = (byte*)2_000_000;
        var next = new NextBlock(input, inputBytes, output, outputBytes, TileGroups);
        int inputPasses = (inputBytes + Pass - 1) / Pass, outputPasses = (outputBytes + Pass - 1) / Pass;
        nint[] expected = [.. Enumerable.Range(0, outputPasses).Select(p => (nint)output + p * Pass), .. Enumerable.Range(0, inputPasses).Select(p => (nint)input + p * Pass)];
        Assert.Equal(expected, Enumerable.Range(0, expected.Length).Reverse().Select(after => (nint)next.Memory(after)));
        Assert.True(next.Memory(expected.Length) == null);
    }

    [Fact]
    public void Without_a_next_block_nothing_is_fetched()
    {
        NextBlock none = default, empty = new((byte*)1, 0, (byte*)2, 0, TileGroups);
        Assert.True(none.Memory(0) == null && empty.Memory(0) == null);
    }

    /// <summary>Weights are fetched where nothing else is: the next panel by the first two tiles of several, no other by a lone one.</summary>
    [Fact]
    public void Tiles_that_fetch_nothing_else_fetch_the_next_panel()
    {
        var tiles = new ByteTiles { Groups = 3, Panel = (sbyte*)4096 };
        tiles.Fetch(null, 2, isStreaming: true);
        Assert.Equal((3 * 128, 3 * 128 + 3 * 64, 0, false), (tiles.Ahead, tiles.LaterAhead, tiles.AheadStep, tiles.IsStreaming));
        tiles.Fetch(null, 1, isStreaming: true);
        Assert.Equal((0, 0, 0, true), (tiles.Ahead, tiles.LaterAhead, tiles.AheadStep, tiles.IsStreaming));
        tiles.Fetch((byte*)5000, 4);
        Assert.Equal((5000 - 4096, 5000 - 4096 + 3 * 64, 3 * 64, false), (tiles.Ahead, tiles.LaterAhead, tiles.AheadStep, tiles.IsStreaming));
    }
}
