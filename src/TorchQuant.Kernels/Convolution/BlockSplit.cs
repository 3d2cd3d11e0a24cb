namespace TorchQuant.Kernels;

/// <summary>How the outputs of a convolution are divided: blocks of positions, and the panels of output channels where there are few blocks for the threads.</summary>
internal struct BlockSplit
{
    /// <summary>Units of work for each thread: a few, since each part of the panels gathers its activations anew.</summary>
    private const int UnitsPerThread = 2;

    public int Blocks;
    public int Panels;
    public int PanelParts;

    public readonly int Units => Blocks * PanelParts;

    public static BlockSplit Of(int blocks, int outputs, int threads)
    {
        int panels = (outputs + PackedWeights.PanelColumns - 1) / PackedWeights.PanelColumns;
        int wanted = threads == 1 ? 1 : Math.Min(threads, Environment.ProcessorCount) * UnitsPerThread;
        return new BlockSplit { Blocks = blocks, Panels = panels, PanelParts = Math.Min(panels, (wanted + blocks - 1) / blocks) };
    }

    public readonly void Unit(int unit, out int block, out int firstPanel, out int endPanel)
    {
        (block, int part) = Math.DivRem(unit, PanelParts);
        (firstPanel, endPanel) = (EvenSplit.Part(Panels, part, PanelParts), EvenSplit.Part(Panels, part + 1, PanelParts));
    }
}
