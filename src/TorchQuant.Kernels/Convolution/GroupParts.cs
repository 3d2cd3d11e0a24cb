namespace TorchQuant.Kernels;

/// <summary>
/// How the groups of a convolution become products: a part is as many groups as fill one panel of 32 output channels, or a single larger one. Within a part the
/// weights between different groups are real zeros, which costs no memory, since a panel is never narrower.
/// </summary>
internal readonly struct GroupParts
{
    public GroupParts(int inChannels, int outChannels, int groups)
    {
        (Inputs, Outputs) = (inChannels / groups, outChannels / groups);
        Merged = 1;
        for (int merged = 2; merged <= groups && merged * Outputs <= PackedWeights.PanelColumns; merged++)
        {
            if (groups % merged == 0)
                Merged = merged;
        }

        Count = groups / Merged;
    }

    /// <summary>Number of parts.</summary>
    public int Count { get; }

    /// <summary>Groups of a part.</summary>
    public int Merged { get; }

    /// <summary>Input channels of a group.</summary>
    public int Inputs { get; }

    /// <summary>Output channels of a group.</summary>
    public int Outputs { get; }

    /// <summary>Input channels of a part.</summary>
    public int PartInputs => Merged * Inputs;

    /// <summary>Output channels of a part.</summary>
    public int PartOutputs => Merged * Outputs;

    /// <summary>The channel, within the inputs of its part, that channel <paramref name="input"/> of the group of output <paramref name="output"/> is.</summary>
    public int PartInput(int output, int input) => output % PartOutputs / Outputs * Inputs + input;
}
