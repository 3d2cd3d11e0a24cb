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

    /// <summary>Parts of 16 channels: unpacking works within as many.</summary>
    private const int MostParts = 4;

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
        int channels = Math.Min(DepthwiseCode.Channels, job->Gemm.N - channel);
        // Few channels: as many parts of the rows side by side as fit.
        int parts = 1;
        while (channels * parts * 2 <= DepthwiseCode.Channels && parts < MostParts && work->Plan.ShortestRow >= 2 * parts)
            parts *= 2;
        DepthwiseTerms.Fill<TLanes, TFloat, TInt>(in job->Gemm, channel, channels, parts, work->Plan.RowsTogether == 1 ? 0 : job->Window.Height.Stride, terms);
        for (int piece = firstPiece; piece < endPiece; piece++)
        {
            OutputPiece rows = work->Plan.Piece(piece);
            int outputs = (rows.Length + parts - 1) / parts;
            byte* input = terms + DepthwiseTerms.Bytes + work->OutputBytes;
            Copy(work, in rows, outputs, parts, channel, channels, input);
            RunPiece(work, in rows, outputs, parts, channel, channels, terms, input);
        }
    }

    /// <summary>Where the outputs of a part of a row begin: parts of equal length, of which the last may overlap.</summary>
    private static int First(int length, int outputs, int part) => Math.Min(part * outputs, length - outputs);

    private static void Copy(State* work, in OutputPiece rows, int outputs, int parts, int channel, int channels, byte* target)
    {
        ConvolutionJob* job = work->Job;
        ref readonly WindowDimension wide = ref job->Window.Width, high = ref job->Window.Height;
        var padded = new PaddedRows
        {
            Row = rows.Height * high.Stride + high.Offset,
            Rows = work->Plan.InputRows(rows.Count),
            Columns = (outputs - 1) * wide.Stride + wide.Kernel,
            Channels = channels,
            Lanes = DepthwiseCode.Channels / parts,
            Step = (nint)work->Plan.Columns(outputs) * DepthwiseCode.Channels,
        };
        for (int part = 0; part < parts; part++)
        {
            padded.Column = (rows.Width + First(rows.Length, outputs, part)) * wide.Stride + wide.Offset;
            padded.Copy(job, job->Row(rows.Image, 0, 0) + channel, target + part * padded.Lanes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunPiece(State* work, in OutputPiece rows, int outputs, int parts, int channel, int channels, byte* terms, byte* input)
    {
        ConvolutionJob* job = work->Job;
        ref readonly Window window = ref job->Window;
        nint step = job->Gemm.OutputStride, outputRow = window.Width.Output * step;
        byte* output = (byte*)job->Gemm.Output + ((nint)rows.Image * window.Height.Output + rows.Height) * outputRow + rows.Width * step + channel;
        var call = new DepthwiseRow { Input = input, InputRow = (nint)work->Plan.Columns(outputs) * DepthwiseCode.Channels, Count = outputs, Terms = terms };
        bool isWhole = channels == DepthwiseCode.Channels;
        (call.OutputRow, call.OutputColumn) = isWhole ? (outputRow, step) : (outputs * DepthwiseCode.Channels, DepthwiseCode.Channels);
        for (int row = 0; row < rows.Count;)
        {
            int together = Math.Min(work->Plan.RowsTogether, rows.Count - row);
            call.Output = isWhole ? output : terms + DepthwiseTerms.Bytes;
            TKernel.RunFusedDepthwise(together, window.Width.Stride, window.Height.Kernel, &call);
            for (int i = 0; i < together; i++, output += outputRow)
            {
                // Fewer channels than the code writes lie beside the output, and are copied as far as they go.
                for (int part = 0; !isWhole && part < parts; part++)
                    SegmentCopy.Copy(call.Output + i * call.OutputRow + part * (DepthwiseCode.Channels / parts), call.OutputColumn, output + First(rows.Length, outputs, part) * step, step, outputs, channels);
                // The code does not add, so that is done while the row is in the cache.
                if (job->Gemm.Residual.IsSet)
                    ResidualLanes<TLanes, TFloat, TInt>.AddTo(output, step, rows.Length, channels, in job->Gemm.Residual);
            }

            row += together;
            call.Input += together * window.Height.Stride * call.InputRow;
        }
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
