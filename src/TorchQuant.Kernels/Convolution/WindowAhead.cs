namespace TorchQuant.Kernels;

/// <summary>The part of an image, and of the output, that the next block of a convolution whose tiles read the image is about.</summary>
internal static unsafe class WindowAhead
{
    /// <summary>For the block after one; nothing where there is none, or where it is not one piece of memory.</summary>
    /// <param name="job">The convolution.</param>
    /// <param name="plan">Its blocks.</param>
    /// <param name="block">The block that is computed.</param>
    /// <param name="tileGroups">See <see cref="NextBlock"/>.</param>
    public static NextBlock Of(ConvolutionJob* job, in WindowPlan plan, int block, nint tileGroups)
    {
        ref readonly WindowDimension high = ref job->Window.Height;
        if (block + 1 >= plan.Blocks || !plan.HasWholeRows || job->Window.Depth is not { Input: 1, Output: 1 } || job->Segment != job->Channels || job->Grid.IsSet)
            return default;
        OutputPiece first = plan.Piece(plan.First(block + 1)), last = plan.Piece(plan.First(block + 2) - 1);
        int begin = Math.Clamp(first.Height * high.Stride + high.Offset, 0, high.Input), end = Math.Clamp(last.Height * high.Stride + high.Offset + WindowPlan.InputRows(in high, last.Count), 0, high.Input);
        // The rows that the block before sees too are there already.
        if (first.Height > 0)
            begin = Math.Clamp((first.Height - 1) * high.Stride + high.Offset + WindowPlan.InputRows(in high, 1), begin, end);
        nint inputRow = (nint)job->Window.Width.Input * job->Channels, outputRow = job->Window.Width.Output * job->Gemm.OutputStride;
        nint inputRows = (nint)(last.Image - first.Image) * high.Input + end - begin, outputRows = (nint)(last.Image - first.Image) * high.Output + last.Height + last.Count - first.Height;
        byte* output = (byte*)job->Gemm.Output + ((nint)first.Image * high.Output + first.Height) * outputRow;
        return new NextBlock(job->Row(first.Image, 0, begin), inputRows * inputRow, output, outputRows * outputRow, tileGroups);
    }
}
