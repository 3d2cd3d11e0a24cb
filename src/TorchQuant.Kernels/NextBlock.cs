namespace TorchQuant.Kernels;

/// <summary>
/// What the next block of rows needs and may be far away: its input, and the lines of its output, which are read before a part of them is written. They are fetched while the last
/// panels of the block before are multiplied, since their rows are too short for the processor to see in time where they go on.
/// </summary>
internal readonly unsafe struct NextBlock
{
    private readonly byte* _input, _output;
    private readonly nint _pass;
    private readonly int _inputPasses, _passes;

    /// <summary>A block whose input and output are these bytes; there may be none.</summary>
    /// <param name="input">Its input.</param>
    /// <param name="inputBytes">Bytes of the input.</param>
    /// <param name="output">Its output.</param>
    /// <param name="outputBytes">Bytes of the output.</param>
    /// <param name="tileGroups">Groups of the depth in all tiles of the block before: for each, and each panel, one cache line can be fetched.</param>
    public NextBlock(byte* input, nint inputBytes, byte* output, nint outputBytes, nint tileGroups)
    {
        _pass = tileGroups * CacheLine.Bytes;
        _input = input;
        _output = output;
        _inputPasses = Passes(inputBytes);
        _passes = _inputPasses + Passes(outputBytes);
    }

    /// <summary>Where the tiles of a panel fetch from, if there are so many panels after it; null if they need not.</summary>
    public byte* Memory(int panelsAfter) =>
        panelsAfter < _inputPasses ? _input + (_inputPasses - 1 - panelsAfter) * _pass
        : panelsAfter < _passes ? _output + (_passes - 1 - panelsAfter) * _pass
        : null;

    private int Passes(nint bytes) => (int)((bytes + _pass - 1) / _pass);
}
