namespace TorchQuant.Kernels.Generated;

/// <summary>A form of <see cref="PipelinedByteTileCode"/> that adds a residual. Low tiles leave registers for all that adding takes: for few groups of the depth its loads are what limits.</summary>
/// <param name="MostRows">Rows of a tile at most.</param>
/// <param name="LeastGroups">Groups of the depth at least; as many overlap with the tile before.</param>
internal sealed record ResidualForm(int MostRows, int LeastGroups)
{
    private const int LowRows = 4, HighRows = PipelinedByteTileCode.RowsOfFewGroups, ManyGroups = 16;

    private static readonly ResidualForm s_few = new(LowRows, PipelinedByteTileCode.FewGroups), s_many = new(LowRows, ManyGroups), s_deep = new(HighRows, ManyGroups);

    /// <summary>All forms, the tallest last.</summary>
    public static ReadOnlySpan<ResidualForm> All => s_all;

    private static readonly ResidualForm[] s_all = [s_few, s_many, s_deep];

    /// <summary>The form for a depth in groups of four.</summary>
    public static ResidualForm Of(nint groups) => groups < ManyGroups ? s_few : groups == ManyGroups ? s_many : s_deep;
}
