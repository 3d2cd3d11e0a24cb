using TorchQuant.Kernels.Generated;

namespace TorchQuant.Kernels;

/// <summary>The inner product of one ISA for a convolution in which every output channel sees one input channel: up to 32 channels at once.</summary>
internal unsafe interface IDepthwiseKernel
{
    /// <summary>Whether there are <see cref="RunFusedDepthwise"/>, <see cref="UnpackDepthwise"/> and <see cref="RunUnpackedDepthwise"/>.</summary>
    static virtual bool HasFusedDepthwise => false;

    /// <summary>Outputs of one row or of two below each other, from codes to codes, with the code of <see cref="DepthwiseCode"/>.</summary>
    /// <param name="rows">Output rows, 1 or 2.</param>
    /// <param name="stride">Columns of the input from one output to the next, 1 or 2.</param>
    /// <param name="kernelHeight">Rows of the input that an output sees, at most 4.</param>
    /// <param name="row">The outputs.</param>
    static virtual void RunFusedDepthwise(int rows, int stride, int kernelHeight, DepthwiseRow* row) => throw new NotSupportedException();

    /// <summary>Unpacks columns of the input, with the code of <see cref="DepthwiseColumnsCode"/>.</summary>
    /// <param name="columns">The columns.</param>
    static virtual void UnpackDepthwise(DepthwiseColumns* columns) => throw new NotSupportedException();

    /// <summary>Outputs of one row or of two below each other, from unpacked columns to codes, with the code of <see cref="DepthwiseOutputsCode"/>.</summary>
    /// <param name="rows">Output rows, 1 or 2.</param>
    /// <param name="blockOutputs">Outputs of a block: <see cref="DepthwiseOutputsCode.BlockOutputs"/> or 1.</param>
    /// <param name="outputs">The blocks.</param>
    static virtual void RunUnpackedDepthwise(int rows, int blockOutputs, DepthwiseOutputs* outputs) => throw new NotSupportedException();

    /// <summary>
    /// tile[r, c] = sum over taps k and groups g of the four products of activations[r * Output + k * Tap + g * 128 + 4 * c ..], less the <see cref="IMicroKernel.ActivationOffset"/> of the
    /// same kernel, and panel[k, g, c, ..], exact in int32, for r below <paramref name="rows"/> and c below <paramref name="columns"/>; up to 32 columns, the rest of a tile's row may be overwritten.
    /// </summary>
    /// <param name="rows">How many outputs, at least 1.</param>
    /// <param name="activations">[columns of the input][groups][32 channels][4] codes: columns of the input, the elements of the kernel along a column next to each other.</param>
    /// <param name="steps">The distances within them.</param>
    /// <param name="panel">[taps][groups][32 channels][4] weights.</param>
    /// <param name="columns">How many channels, at most 32.</param>
    /// <param name="tile">Row-major [rows, 32], 64-byte aligned.</param>
    static abstract void RunDepthwise(int rows, byte* activations, in DepthwiseSteps steps, sbyte* panel, int columns, int* tile);
}

/// <summary>How a depthwise kernel walks through its activations.</summary>
/// <param name="Taps">Columns of the input that an output sees.</param>
/// <param name="Groups">Groups of four elements in a column.</param>
/// <param name="Tap">Bytes from one of these columns to the next.</param>
/// <param name="Output">Bytes from the first column of one output to that of the next.</param>
internal readonly record struct DepthwiseSteps(nint Taps, nint Groups, nint Tap, nint Output);
