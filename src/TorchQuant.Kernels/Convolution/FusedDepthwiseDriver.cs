using System.Buffers;
using System.Runtime.CompilerServices;
using TorchQuant.Kernels.Generated;

namespace TorchQuant.Kernels;

/// <summary>Depthwise convolution by generated code (<see cref="DepthwiseForm"/>), 64 channels at a time, to uint8 in one go.</summary>
internal static unsafe class FusedDepthwiseDriver<TKernel, TLanes, TFloat, TInt>
    where TKernel : struct, IDepthwiseKernel
    where TLanes : struct, ILanes<TFloat, TInt>
{
    /// <summary>Parts of 16 channels: unpacking works within as many.</summary>
    private const int MostParts = 4;

    /// <summary>Whether this can compute a convolution.</summary>
    public static bool Fits(ConvolutionJob* job)
    {
        ref readonly Window window = ref job->Window;
        return TKernel.HasFusedDepthwise
            && job->Multiplier == 1 && job->Ones == null && job->Gemm.Fused != FusedActivation.Hardswish
            && window.Depth is { Input: 1, Output: 1, Kernel: 1, Offset: 0 }
            && DepthwiseForm.Fits(in window)
            && DepthwiseTerms.AreFinite<TLanes, TFloat, TInt>(in job->Gemm);
    }

    public static void Run(ConvolutionJob* job, int threads)
    {
        var work = new State { Job = job, Plan = new FusedDepthwisePlan(in job->Window, (int)(job->Gemm.M / job->Window.Outputs), job->Gemm.N, Math.Min(threads, Environment.ProcessorCount)) };
        // Units are ranges of 64 channels, where those of BlockSplit are panels of 32.
        work.Split = BlockSplit.Of(work.Plan.Blocks, (job->Gemm.N + 1) / 2, threads);
        DepthwiseForm form = work.Plan.Form;
        work.OutputBytes = job->Gemm.N % DepthwiseCode.Channels == 0 ? 0 : checked(form.RowsTogether * work.Plan.LongestRow * DepthwiseCode.Channels);
        work.TermBytes = DepthwiseTerms.Bytes(in form);
        work.Bytes = checked(work.TermBytes + work.OutputBytes + work.Plan.QuadsBytes + work.Plan.InputBytes + CacheLine.Bytes);
        WorkerPool.Run(work.Split.Units, threads, &RunUnit, &work, (long)job->Gemm.M * job->Gemm.N * job->Gemm.K / 120);
    }

    private static void RunUnit(void* state, int unit)
    {
        var work = (State*)state;
        work->Split.Unit(unit, out int block, out int first, out int end);
        byte[] rented = ArrayPool<byte>.Shared.Rent(work->Bytes);
        fixed (byte* memory = rented)
        {
            DepthwiseForm form = work->Plan.Form;
            byte* aligned = CacheLine.Align(memory);
            var buffers = new Buffers { Terms = aligned, Output = aligned + work->TermBytes };
            buffers.Quads = buffers.Output + work->OutputBytes;
            buffers.Input = buffers.Quads + work->Plan.QuadsBytes;
            DepthwiseTerms.Begin(in work->Job->Gemm, in form, buffers.Terms);
            for (; first < end; first++)
                RunChannels(work, first * DepthwiseCode.Channels, work->Plan.First(block), work->Plan.First(block + 1), in buffers);
        }

        ArrayPool<byte>.Shared.Return(rented);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunChannels(State* work, int channel, int firstPiece, int endPiece, in Buffers buffers)
    {
        ConvolutionJob* job = work->Job;
        int channels = Math.Min(DepthwiseCode.Channels, job->Gemm.N - channel);
        // Few channels: as many parts of the rows side by side as fit.
        int parts = 1;
        while (channels * parts * 2 <= DepthwiseCode.Channels && parts < MostParts && work->Plan.ShortestRow >= 2 * parts)
            parts *= 2;
        DepthwiseForm form = work->Plan.Form;
        DepthwiseTerms.Fill<TLanes, TFloat, TInt>(in job->Gemm, channel, channels, parts, in form, buffers.Terms);
        for (int piece = firstPiece; piece < endPiece; piece++)
        {
            OutputPiece rows = work->Plan.Piece(piece);
            int outputs = (rows.Length + parts - 1) / parts;
            Copy(work, in rows, outputs, parts, channel, channels, buffers.Input);
            RunPiece(work, in rows, outputs, parts, channel, channels, in buffers);
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
            Columns = WindowPlan.InputRows(in wide, outputs),
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
    private static void RunPiece(State* work, in OutputPiece rows, int outputs, int parts, int channel, int channels, in Buffers buffers)
    {
        ConvolutionJob* job = work->Job;
        ref readonly Window window = ref job->Window;
        nint step = job->Gemm.OutputStride, outputRow = window.Width.Output * step;
        byte* output = (byte*)job->Gemm.Output + ((nint)rows.Image * window.Height.Output + rows.Height) * outputRow + rows.Width * step + channel;
        var call = new DepthwiseRow { Input = buffers.Input, InputRow = (nint)work->Plan.Columns(outputs) * DepthwiseCode.Channels, Count = outputs, Terms = buffers.Terms };
        bool isWhole = channels == DepthwiseCode.Channels;
        (call.OutputRow, call.OutputColumn) = isWhole ? (outputRow, step) : (outputs * DepthwiseCode.Channels, DepthwiseCode.Channels);
        for (int row = 0; row < rows.Count;)
        {
            int together = Math.Min(work->Plan.Form.RowsTogether, rows.Count - row);
            call.Output = isWhole ? output : buffers.Output;
            if (work->Plan.Form.KeepsColumns)
                TKernel.RunFusedDepthwise(together, window.Width.Stride, window.Height.Kernel, &call);
            else
                RunUnpacked(work, together, in call, buffers.Quads);
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

    /// <summary>Output rows from the same columns, which are unpacked first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunUnpacked(State* work, int rows, in DepthwiseRow call, byte* quads)
    {
        ref readonly WindowDimension wide = ref work->Job->Window.Width;
        DepthwiseForm form = work->Plan.Form;
        nint column = (nint)form.Groups * DepthwiseColumnsCode.QuadsBytes;
        var columns = new DepthwiseColumns { Input = call.Input, InputRow = form.RowStep * call.InputRow, Quads = quads, QuadsColumn = column, Count = work->Plan.Columns((int)call.Count) };
        for (int group = 0; group < form.Groups; group++)
        {
            TKernel.UnpackDepthwise(&columns);
            columns.Input += PackedWeights.GroupDepth * columns.InputRow;
            columns.Quads += DepthwiseColumnsCode.QuadsBytes;
        }

        // Without dilation the columns that an output sees are one piece.
        (nint taps, nint groups) = wide.Dilation == 1 ? (1, form.Taps * form.Groups) : (form.Taps, form.Groups);
        (nint blocks, nint rest) = Math.DivRem(call.Count, DepthwiseOutputsCode.BlockOutputs);
        for (int row = 0; row < rows; row += DepthwiseOutputsCode.MaxRows)
        {
            int together = Math.Min(DepthwiseOutputsCode.MaxRows, rows - row);
            var outputs = new DepthwiseOutputs
            {
                Quads = quads,
                QuadsOutput = wide.Stride * column,
                Weights = call.Terms + DepthwiseTerms.Weights + row * form.WeightsRow,
                WeightsRow = form.WeightsRow,
                Taps = taps,
                Groups = groups,
                TapSkip = (wide.Dilation - 1) * column,
                Output = call.Output + row * call.OutputRow,
                OutputRow = call.OutputRow,
                OutputColumn = call.OutputColumn,
                Count = blocks,
                Terms = call.Terms,
            };
            if (blocks > 0)
                TKernel.RunUnpackedDepthwise(together, DepthwiseOutputsCode.BlockOutputs, &outputs);
            outputs.Count = rest;
            if (rest > 0)
                TKernel.RunUnpackedDepthwise(together, 1, &outputs);
        }
    }

    private struct State
    {
        public ConvolutionJob* Job;
        public FusedDepthwisePlan Plan;
        public BlockSplit Split;

        public int TermBytes;

        /// <summary>Outputs of channels that do not fill the code's 64.</summary>
        public int OutputBytes;

        /// <summary>All buffers of a unit.</summary>
        public int Bytes;
    }

    private struct Buffers
    {
        public byte* Terms;
        public byte* Output;
        public byte* Quads;
        public byte* Input;
    }
}
