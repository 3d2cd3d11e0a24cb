using System.Buffers;
using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Depthwise convolution, 32 channels at a time: the codes along each column of the input are put next to each other once (<see cref="ColumnQuads{TLanes, TFloat, TInt}"/>),
/// so that dot products of four serve it as they serve a matrix product.
/// </summary>
internal static unsafe class DepthwiseDriver<TKernel, TLanes, TFloat, TInt>
    where TKernel : struct, IMicroKernel, IDepthwiseKernel
    where TLanes : struct, ILanes<TFloat, TInt>
{
    public static void Run(ConvolutionJob* job, int threads)
    {
        var work = new State { Job = job, Plan = new DepthwisePlan(in job->Window, (int)(job->Gemm.M / job->Window.Outputs)) };
        work.Split = BlockSplit.Of(work.Plan.Blocks, job->Gemm.N, threads);
        work.QuadBytes = checked(ColumnQuads<TLanes, TFloat, TInt>.Columns(in job->Window.Width, work.Plan.LongestRow) * work.Plan.Groups * PackedWeights.GroupBytes);
        work.TileBytes = work.Plan.LongestRow * PackedWeights.PanelColumns * sizeof(int);
        work.WeightBytes = checked(job->Gemm.Groups * PackedWeights.GroupBytes * work.Plan.RowsTogether);
        work.Bytes = checked(work.QuadBytes + 2 * work.TileBytes + 2 * work.WeightBytes + CacheLine.Bytes);
        WorkerPool.Run(work.Split.Units, threads, &RunUnit, &work, (long)job->Gemm.M * job->Gemm.N * job->Gemm.K / 60);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunUnit(void* state, int unit)
    {
        var work = (State*)state;
        ConvolutionJob* job = work->Job;
        work->Split.Unit(unit, out int block, out int firstPanel, out int endPanel);
        byte[] rented = ArrayPool<byte>.Shared.Rent(work->Bytes);
        fixed (byte* memory = rented)
        {
            byte* aligned = CacheLine.Align(memory);
            var buffers = new Buffers { Quads = (int*)aligned, Tile = (int*)(aligned + work->QuadBytes), Weights = (sbyte*)(aligned + work->QuadBytes + 2 * work->TileBytes) };
            buffers.Sums = buffers.Tile + work->TileBytes / sizeof(int);
            buffers.Ones = buffers.Weights + work->WeightBytes;
            if (job->Ones != null)
                buffers.Ones = Move(work, job->Ones, buffers.Ones);
            for (int panel = firstPanel; panel < endPanel; panel++)
                RunPanel(work, panel, work->Plan.First(block), work->Plan.First(block + 1), in buffers);
        }

        ArrayPool<byte>.Shared.Return(rented);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunPanel(State* work, int panel, int firstPiece, int endPiece, in Buffers buffers)
    {
        ConvolutionJob* job = work->Job;
        ref readonly Window window = ref job->Window;
        int channel = panel * PackedWeights.PanelColumns, channels = Math.Min(PackedWeights.PanelColumns, job->Gemm.N - channel);
        nint column = (nint)work->Plan.Groups * PackedWeights.GroupBytes, panelBytes = job->Gemm.Groups * PackedWeights.GroupBytes;
        var steps = new DepthwiseSteps(window.Width.Kernel, work->Plan.Groups, column * window.Width.Dilation, column * window.Width.Stride);
        sbyte* weights = Move(work, job->Gemm.Panels + panel * panelBytes, buffers.Weights);
        GemmJob gemm = job->Gemm;
        gemm.SubtractFromActivations(TKernel.ActivationOffset);
        // What they contribute is subtracted here: the sum of the activations is another one for each channel.
        gemm.ColumnZeroPoints = null;
        ByteTerms terms;
        ByteEpilogue<TLanes, TFloat, TInt>.Prepare(in gemm, channel, channels, &terms);
        for (int piece = firstPiece; piece < endPiece; piece++)
        {
            OutputPiece rows = work->Plan.Piece(piece);
            ColumnQuads<TLanes, TFloat, TInt>.Fill(job, in rows, work->Plan.Groups, channel, channels, buffers.Quads);
            int position = ((rows.Image * window.Depth.Output + rows.Depth) * window.Height.Output + rows.Height) * window.Width.Output + rows.Width;
            for (int row = 0; row < rows.Count; row++, position += window.Width.Output)
            {
                TKernel.RunDepthwise(rows.Length, (byte*)buffers.Quads, in steps, weights + row * panelBytes, channels, buffers.Tile);
                if (job->Ones != null)
                {
                    TKernel.RunDepthwise(rows.Length, (byte*)buffers.Quads, in steps, buffers.Ones + row * panelBytes, channels, buffers.Sums);
                    SubtractZeroPoints(buffers.Tile, buffers.Sums, rows.Length, job->Gemm.ColumnZeroPoints + channel);
                }

                ByteEpilogue<TLanes, TFloat, TInt>.Apply(in gemm, &terms, buffers.Tile, position, rows.Length, channel, channels);
                if (gemm.Residual.IsSet)
                    ResidualLanes<TLanes, TFloat, TInt>.AddTo((byte*)gemm.Output + position * gemm.OutputStride + channel, gemm.OutputStride, rows.Length, channels, in gemm.Residual);
            }
        }
    }

    /// <summary>A panel of weights for each of the rows that are computed together; the panel itself if that is one.</summary>
    private static sbyte* Move(State* work, sbyte* panel, sbyte* target)
    {
        if (work->Plan.RowsTogether == 1)
            return panel;
        ref readonly WindowDimension high = ref work->Job->Window.Height;
        for (int row = 0; row < work->Plan.RowsTogether; row++)
        {
            int* moved = (int*)target + row * work->Job->Gemm.Groups * PackedWeights.PanelColumns;
            MovedWeights<TLanes, TFloat, TInt>.Fill((int*)panel, work->Job->Window.Width.Kernel, work->Plan.Groups, high.Kernel, row * high.Stride, moved);
        }

        return target;
    }

    /// <summary>tile[r, c] -= zeroPoints[c] * sums[r, c].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SubtractZeroPoints(int* tile, int* sums, int rows, int* zeroPoints)
    {
        for (int r = 0; r < rows; r++, tile += PackedWeights.PanelColumns, sums += PackedWeights.PanelColumns)
        {
            for (int c = 0; c < PackedWeights.PanelColumns; c += TLanes.Count)
                TLanes.StoreInt(TLanes.SubtractInt(TLanes.LoadInt(tile + c), TLanes.MultiplyInt(TLanes.LoadInt(zeroPoints + c), TLanes.LoadInt(sums + c))), tile + c);
        }
    }

    private struct State
    {
        public ConvolutionJob* Job;
        public DepthwisePlan Plan;
        public BlockSplit Split;
        public int QuadBytes;
        public int TileBytes;
        public int WeightBytes;

        /// <summary>All buffers of a unit.</summary>
        public int Bytes;
    }

    private struct Buffers
    {
        public int* Quads;
        public int* Tile;

        /// <summary>Sums of activations, for weights with zero points.</summary>
        public int* Sums;
        public sbyte* Weights;
        public sbyte* Ones;
    }
}
