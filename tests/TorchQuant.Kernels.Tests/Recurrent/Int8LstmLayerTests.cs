using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class Int8LstmLayerTests
{
    [Property(MaxTest = 60, EndSize = 100_000)]
    public void Every_ISA_and_number_of_threads_equals_the_reference_bit_for_bit(int seed)
    {
        Int8LstmCase layer = Int8LstmCase.Create(seed);
        byte[] expected = layer.Expected();
        foreach (Isa isa in Isa.Available)
        {
            Assert.Equal(expected, layer.Run(isa));
            Assert.Equal(expected, layer.Run(isa, threads: 3));
        }
    }

    [Theory]
    [InlineData(1, 1, 1, 1, false)]
    [InlineData(64, 64, 3, 1, true)]
    [InlineData(5, 33, 4, 7, false)]
    public void Equals_the_reference_for_sizes_at_the_edges(int input, int hidden, int steps, int batch, bool reverse)
    {
        for (int seed = 0; seed < 6; seed++)
        {
            var layer = new Int8LstmCase(seed, input, hidden, steps, batch, reverse);
            Assert.Equal(layer.Expected(), layer.Run(Isa.Current));
        }
    }

    [Fact]
    public void A_sequence_run_in_two_parts_equals_one_run()
    {
        var whole = new Int8LstmCase(5, 8, 20, steps: 6, batch: 2, reverse: false);
        byte[] expected = whole.Run(Isa.Current);
        byte[] h = [.. whole.H0], c = [.. whole.C0], y = new byte[6 * 2 * 20];
        int half = whole.X.Length / 2;
        Int8LstmLayer.Run(whole.X.AsSpan(..half), whole.XParams, 2, whole.Cell, h, whole.HParams, c, whole.CParams, y.AsSpan(..(y.Length / 2)), 20);
        Int8LstmLayer.Run(whole.X.AsSpan(half..), whole.XParams, 2, whole.Cell, h, whole.Cell.Output, c, whole.Cell.Cell, y.AsSpan((y.Length / 2)..), 20);
        Assert.Equal(expected, (byte[])[.. y, .. h, .. c]);
    }

    [Fact]
    public void Rows_may_leave_room_for_the_other_direction()
    {
        var layer = new Int8LstmCase(4, 3, 5, steps: 3, batch: 2, reverse: true);
        byte[] expected = layer.Run(Isa.Current);
        byte[] h = [.. layer.H0], c = [.. layer.C0], y = [.. Enumerable.Repeat((byte)7, 6 * 10)];
        Int8LstmLayer.Run(layer.X, layer.XParams, 2, layer.Cell, h, layer.HParams, c, layer.CParams, y.AsSpan(5), 10, reverse: true);
        for (int row = 0; row < 6; row++)
        {
            Assert.All(y[(row * 10)..(row * 10 + 5)], canary => Assert.Equal(7, canary));
            Assert.Equal(expected[(row * 5)..(row * 5 + 5)], y[(row * 10 + 5)..(row * 10 + 10)]);
        }
    }

    [Fact]
    public void Allocates_nothing_in_the_steady_state()
    {
        var layer = new Int8LstmCase(4, 63, 48, steps: 3, batch: 9, reverse: false);
        byte[] h = [.. layer.H0], c = [.. layer.C0], y = new byte[3 * 9 * 48];
        Assert.Equal(0, Allocations.Least(() => Int8LstmLayer.Run(layer.X, layer.XParams, 9, layer.Cell, h, layer.HParams, c, layer.CParams, y, 48)));
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_refused()
    {
        var layer = new Int8LstmCase(1, 3, 5, steps: 2, batch: 2, reverse: false);
        void Run(int x, int batch, int h, int c, int y, int yStride) =>
            Int8LstmLayer.Run(new byte[x], layer.XParams, batch, layer.Cell, new byte[h], layer.HParams, new byte[c], layer.CParams, new byte[y], yStride);
        void Refused(string message, Action run) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(run).Message, StringComparison.Ordinal);

        Refused("x has 11 elements; expected [T, 2, 3]", () => Run(11, 2, 10, 10, 20, 5));
        Refused("at least one step", () => Run(0, 2, 10, 10, 20, 5));
        Refused("batch is 0", () => Run(12, 0, 10, 10, 20, 5));
        Refused("h has 5 elements; expected 10", () => Run(12, 2, 5, 10, 20, 5));
        Refused("c has 5 elements; expected 10", () => Run(12, 2, 10, 5, 20, 5));
        Refused("y.Length is 19; expected at least 20", () => Run(12, 2, 10, 10, 19, 5));
        Refused("yStride is 4; expected at least 5", () => Run(12, 2, 10, 10, 20, 4));
    }

    [Fact]
    public void Parts_of_a_cell_that_do_not_fit_are_refused()
    {
        Int8LstmCell cell = new Int8LstmCase(1, 3, 5, steps: 1, batch: 1, reverse: false).Cell, other = new Int8LstmCase(2, 3, 4, steps: 1, batch: 1, reverse: false).Cell;
        Assert.Contains("[4 H, I]", Assert.Throws<ArgumentException>(
            () => new Int8LstmCell(other.Input, cell.Hidden, cell.KeptCell, cell.NewCell, cell.Output, cell.Sigmoid, cell.Tanh, cell.CellTanh)).Message, StringComparison.Ordinal);
        Assert.Contains("tables", Assert.Throws<ArgumentException>(
            () => new Int8LstmCell(cell.Input, cell.Hidden, cell.KeptCell, cell.NewCell, cell.Output, cell.Sigmoid, other.Tanh, cell.CellTanh)).Message, StringComparison.Ordinal);
        Assert.Contains("keptCell", Assert.Throws<ArgumentException>(
            () => new Int8LstmCell(cell.Input, cell.Hidden, new QParams(0, 3), cell.NewCell, cell.Output, cell.Sigmoid, cell.Tanh, cell.CellTanh)).Message, StringComparison.Ordinal);
    }
}
