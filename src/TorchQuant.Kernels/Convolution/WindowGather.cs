using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Writes what the window sees at a few outputs as rows of a matrix [outputs, kernel elements, channels], zero points where it leaves the input: the left side of the
/// product that a convolution is. A row of the kernel that lies in the input as one piece is copied as one.
/// </summary>
internal static unsafe class WindowGather
{
    /// <summary>Outputs first to first + count - 1, counted over all images, into rows <paramref name="stride"/> bytes apart.</summary>
    public static void Fill(ConvolutionJob* job, int first, int count, byte* target, nint stride)
    {
        while (count > 0)
        {
            WindowRun run = WindowRun.At(in job->Window, first, count);
            FillRun(job, in run, target, stride);
            first += run.Count;
            count -= run.Count;
            target += run.Count * stride;
        }
    }

    private static void FillRun(ConvolutionJob* job, in WindowRun run, byte* target, nint stride)
    {
        ref readonly WindowDimension deep = ref job->Window.Depth, high = ref job->Window.Height;
        int rowLength = job->Window.Width.Kernel / job->Runs.Elements * job->Runs.Depth;
        for (int kd = 0; kd < deep.Kernel; kd++)
        {
            int depth = deep.Source(run.Depth * deep.Stride + kd * deep.Dilation + deep.Offset, job->Window.Mode);
            for (int kh = 0; kh < high.Kernel; kh++, target += rowLength)
            {
                int height = high.Source(run.Height * high.Stride + kh * high.Dilation + high.Offset, job->Window.Mode);
                if (depth < 0 || height < 0)
                    SegmentCopy.Fill((byte)job->Gemm.Activation.ZeroPoint, target, stride, run.Count, rowLength);
                else
                    FillRow(job, job->Row(run.Image, depth, height), in run, target, stride);
            }
        }
    }

    /// <summary>One row of the kernel for all outputs of a run.</summary>
    private static void FillRow(ConvolutionJob* job, byte* row, in WindowRun run, byte* target, nint stride)
    {
        int kernel = job->Window.Width.Kernel;
        if (job->Segment == job->Channels && job->Runs.Elements == kernel)
        {
            FillElements(job, row, in run, 0, kernel, target, stride);
            return;
        }

        for (int k = 0; k < kernel; k++)
            FillElements(job, row, in run, k, 1, target + job->Runs.Index(k, 0), stride);
    }

    /// <summary>Elements of the kernel that lie next to each other in the input: whole where all of them are inside, one by one at the borders.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FillElements(ConvolutionJob* job, byte* row, in WindowRun run, int firstElement, int elements, byte* target, nint stride)
    {
        ref readonly WindowDimension wide = ref job->Window.Width;
        int begin = run.Width, end = run.Width + run.Count;
        int inside = Math.Clamp(wide.FirstInside(firstElement), begin, end);
        int outside = Math.Clamp(wide.EndInside(firstElement + elements - 1), inside, end);
        for (int output = begin; output < inside; output++)
            FillBorder(job, row, output, firstElement, elements, target + (output - begin) * stride);
        byte* source = row + ((long)inside * wide.Stride + firstElement * wide.Dilation + wide.Offset) * job->Channels;
        SegmentCopy.Copy(source, (nint)wide.Stride * job->Channels, target + (inside - begin) * stride, stride, outside - inside, (nint)elements * job->Segment);
        for (int output = outside; output < end; output++)
            FillBorder(job, row, output, firstElement, elements, target + (output - begin) * stride);
    }

    private static void FillBorder(ConvolutionJob* job, byte* row, int output, int firstElement, int elements, byte* target)
    {
        ref readonly WindowDimension wide = ref job->Window.Width;
        for (int k = firstElement; k < firstElement + elements; k++, target += job->Segment)
        {
            int position = wide.Source(output * wide.Stride + k * wide.Dilation + wide.Offset, job->Window.Mode);
            if (position < 0)
                SegmentCopy.Fill((byte)job->Gemm.Activation.ZeroPoint, target, 0, 1, job->Segment);
            else
                SegmentCopy.Copy(row + (long)position * job->Channels, 0, target, 0, 1, job->Segment);
        }
    }
}
