namespace TorchQuant.Kernels;

/// <summary>
/// What the next block of rows needs and may be far away: its activations, and the lines of its output, which are read before a part of them is written. They are fetched while the last
/// panels of the block before are multiplied, since their rows are too short for the processor to see in time where they go on.
/// </summary>
internal readonly unsafe struct NextBlock
{
    private const int CacheLine = 64;

    private readonly byte* _activations, _output;
    private readonly nint _pass;
    private readonly int _activationPasses, _passes;

    /// <summary>The block that begins with a row.</summary>
    /// <param name="job">The product.</param>
    /// <param name="row">The first row.</param>
    /// <param name="rows">How many rows; there may be none.</param>
    /// <param name="tiles">Tiles of the block before at least: so many cache lines are fetched for each group of the depth and each panel.</param>
    /// <param name="hasAllPanels">Whether all columns of the output are written before the next block.</param>
    public NextBlock(GemmJob* job, int row, int rows, int tiles, bool hasAllPanels)
    {
        _activations = job->A + row * job->Stride;
        _output = (byte*)job->Output + row * job->OutputStride;
        _pass = tiles * job->Groups * CacheLine;
        if (rows <= 0 || job->Stride > job->K + CacheLine)
            return;
        _activationPasses = Passes(rows * job->Stride);
        _passes = _activationPasses + (hasAllPanels ? Passes(rows * job->OutputStride) : 0);
    }

    /// <summary>Where the tiles of a panel fetch from, if there are so many panels after it; null if they need not.</summary>
    public byte* Memory(int panelsAfter) =>
        panelsAfter < _activationPasses ? _activations + (_activationPasses - 1 - panelsAfter) * _pass
        : panelsAfter < _passes ? _output + (_passes - 1 - panelsAfter) * _pass
        : null;

    private int Passes(nint bytes) => (int)((bytes + _pass - 1) / _pass);
}
