using System.Buffers;
using System.Runtime.CompilerServices;
using TorchQuant.Kernels.Generated;

namespace TorchQuant.Kernels;

/// <summary>Depthwise convolution by <see cref="DepthwiseCode"/>, 64 channels at a time: kernels of up to three columns and four rows, to uint8 in one go.</summary>
internal static unsafe class FusedDepthwiseDriver<TKernel, TLanes, TFloat, TInt>
    where TKernel : struct, IDepthwiseKernel
    where TLanes : struct, ILanes<TFloat, TInt>
{
    private const int Alignment = 64;

    /// <summary>Whether this can compute a convolution.</summary>
    public static bool Fits(ConvolutionJob* job)
    {
        ref readonly Window window = ref job->Window;
        return TKernel.HasFusedDepthwise
            && job->Multiplier == 1 && job->Ones == null && job->Gemm.Fused != FusedActivation.Hardswish
            && window.Depth is { Input: 1, Output: 1, Kernel: 1 }
            && window.Height.Kernel <= DepthwiseCode.MostInputRows && (window.Height.Dilation == 1 || window.Height.Kernel == 1)
            && window.Width.Kernel <= DepthwiseCode.Taps && window.Width.Stride <= DepthwiseCode.MaxStride && (window.Width.Dilation == 1 || window.Width.Kernel == 1)
            && DepthwiseTerms.AreFinite<TLanes, TFloat, TInt>(in job->Gemm);
    }

    public static void Run(ConvolutionJob* job, int threads)
    {
        var work = new State { Job = job, Plan = new FusedDepthwisePlan(in job->Window, (int)(job->Gemm.M / job->Window.Outputs)) };
        // Units are ranges of 64 channels, where those of BlockSplit are panels of 32.
        work.Split = BlockSplit.Of(work.Plan.Blocks, (job->Gemm.N + 1) / 2, threads);
        work.OutputBytes = job->Gemm.N % DepthwiseCode.Channels == 0 ? 0 : DepthwiseCode.MaxRows * work.Plan.LongestRow * DepthwiseCode.Channels;
        work.Bytes = checked(DepthwiseTerms.Bytes + work.OutputBytes + work.Plan.InputBytes + Alignment);
        WorkerPool.Run(work.Split.Units, threads, &RunUnit, &work, (long)job->Gemm.M * job->Gemm.N * job->Gemm.K / 120);
    }

    private static void RunUnit(void* state, int unit)
    {
        var work = (State*)state;
        work->Split.Unit(unit, out int block, out int first, out int end);
        byte[] rented = ArrayPool<byte>.Shared.Rent(work->Bytes);
        fixed (byte* memory = rented)
        {
            byte* terms = (byte*)(((nuint)memory + (Alignment - 1)) & ~(nuint)(Alignment - 1));
            DepthwiseTerms.Begin(in work->Job->Gemm, terms);
            for (; first < end; first++)
                RunChannels(work, first * DepthwiseCode.Channels, work->Plan.First(block), work->Plan.First(block + 1), terms);
        }

        ArrayPool<byte>.Shared.Return(rented);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunChannels(State* work, int channel, int firstPiece, int endPiece, byte* terms)
    {
        ConvolutionJob* job = work->Job;
        ref readonly Window window = ref job->Window;
        int channels = Math.Min(DepthwiseCode.Channels, job->Gemm.N - channel);
        DepthwiseTerms.Fill<TLanes, TFloat, TInt>(in job->Gemm, channel, channels, work->Plan.RowsTogether == 1 ? 0 : window.Height.Stride, terms);
        byte* apart = terms + DepthwiseTerms.Bytes, input = apart + work->OutputBytes;
        for (int piece = firstPiece; piece < endPiece; piece++)
        {
            DepthwiseRows rows = work->Plan.Piece(piece);
            nint inputRow = work->Plan.Columns(rows.Length) * DepthwiseCode.Channels, outputRow = window.Width.Output * job->Gemm.OutputStride;
            int columns = (rows.Length - 1) * window.Width.Stride + window.Width.Kernel;
            PaddedRows.Fill(job, rows.Image, rows.Height * window.Height.Stride + window.Height.Offset, work->Plan.InputRows(rows.Count),
                rows.Width * window.Width.Stride + window.Width.Offset, columns, channel, channels, input, inputRow);
            byte* output = (byte*)job->Gemm.Output + ((nint)rows.Image * window.Height.Output + rows.Height) * outputRow + rows.Width * job->Gemm.OutputStride + channel;
            var call = new DepthwiseRow { Input = input, InputRow = inputRow, Output = output, OutputRow = outputRow, OutputColumn = job->Gemm.OutputStride, Count = rows.Length, Terms = terms };
            for (int row = 0; row < rows.Count;)
            {
                int together = Math.Min(work->Plan.RowsTogether, rows.Count - row);
                if (channels == DepthwiseCode.Channels)
                    TKernel.RunFusedDepthwise(together, window.Width.Stride, window.Height.Kernel, &call);
                else
                    RunApart(&call, together, in window, channels, apart);
                row += together;
                call.Input += together * window.Height.Stride * inputRow;
                call.Output += together * outputRow;
            }
        }
    }

    /// <summary>Fewer channels than the code writes: beside the output, and copied as far as they go.</summary>
    private static void RunApart(DepthwiseRow* call, int together, in Window window, int channels, byte* apart)
    {
        DepthwiseRow full = *call with { Output = apart, OutputRow = call->Count * DepthwiseCode.Channels, OutputColumn = DepthwiseCode.Channels };
        TKernel.RunFusedDepthwise(together, window.Width.Stride, window.Height.Kernel, &full);
        for (int row = 0; row < together; row++)
            SegmentCopy.Copy(apart + row * full.OutputRow, full.OutputColumn, call->Output + row * call->OutputRow, call->OutputColumn, (int)call->Count, channels);
    }

    private struct State
    {
        public ConvolutionJob* Job;
        public FusedDepthwisePlan Plan;
        public BlockSplit Split;

        /// <summary>Outputs of channels that do not fill the code's 64.</summary>
        public int OutputBytes;

        /// <summary>All buffers of a unit.</summary>
        public int Bytes;
    }
}
