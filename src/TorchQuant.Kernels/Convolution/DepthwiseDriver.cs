using System.Buffers;

namespace TorchQuant.Kernels;

/// <summary>
/// Depthwise convolution, 32 channels at a time: the codes along each column of the input are put next to each other once (<see cref="ColumnQuads{TLanes, TFloat, TInt}"/>),
/// so that dot products of four serve it as they serve a matrix product; a block of outputs, whole rows where they are short, goes through the epilogue at once.
/// </summary>
internal static unsafe class DepthwiseDriver<TKernel, TLanes, TFloat, TInt>
    where TKernel : struct, IDepthwiseKernel
    where TLanes : struct, ILanes<TFloat, TInt>
{
    /// <summary>Outputs of a block: their sums and the columns they see stay in the L1 cache.</summary>
    private const int MostOutputs = 64;

    private const int Alignment = 64;

    public static void Run(ConvolutionJob* job, int threads)
    {
        int width = job->Window.Width.Output, rows = job->Gemm.M / width;
        var work = new State { Job = job, PartsOfRow = (width + MostOutputs - 1) / MostOutputs, RowsOfBlock = Math.Max(1, MostOutputs / width) };
        int blocks = (rows + work.RowsOfBlock - 1) / work.RowsOfBlock * work.PartsOfRow;
        work.Split = BlockSplit.Of(blocks, job->Gemm.N, threads);
        WorkerPool.Run(work.Split.Units, threads, &RunUnit, &work, (long)job->Gemm.M * job->Gemm.N * job->Gemm.K / 60);
    }

    private static void RunUnit(void* state, int unit)
    {
        var work = (State*)state;
        ConvolutionJob* job = work->Job;
        work->Split.Unit(unit, out int block, out int firstPanel, out int endPanel);
        int first = work->First(block), outputs = work->First(block + 1) - first;
        int groups = ColumnQuads<TLanes, TFloat, TInt>.Groups(in job->Window);
        int columns = ColumnQuads<TLanes, TFloat, TInt>.Columns(in job->Window.Width, Math.Min(outputs, job->Window.Width.Output));
        int quadBytes = checked(columns * groups * PackedWeights.GroupBytes), tileBytes = outputs * PackedWeights.PanelColumns * sizeof(int);
        byte[] rented = ArrayPool<byte>.Shared.Rent(checked(quadBytes + 2 * tileBytes + Alignment));
        fixed (byte* memory = rented)
        {
            byte* aligned = (byte*)(((nuint)memory + (Alignment - 1)) & ~(nuint)(Alignment - 1));
            var buffers = new Buffers { Quads = (int*)aligned, Tile = (int*)(aligned + quadBytes), Sums = (int*)(aligned + quadBytes + tileBytes) };
            for (int panel = firstPanel; panel < endPanel; panel++)
                RunPanel(job, panel, first, outputs, groups, in buffers);
        }

        ArrayPool<byte>.Shared.Return(rented);
    }

    private static void RunPanel(ConvolutionJob* job, int panel, int first, int outputs, int groups, in Buffers buffers)
    {
        ref readonly WindowDimension wide = ref job->Window.Width;
        int channel = panel * PackedWeights.PanelColumns, channels = Math.Min(PackedWeights.PanelColumns, job->Gemm.N - channel);
        nint column = (nint)groups * PackedWeights.GroupBytes;
        var steps = new DepthwiseSteps(wide.Kernel, groups, column * wide.Dilation, column * wide.Stride);
        sbyte* weights = job->Gemm.Panels + (long)panel * job->Gemm.Groups * PackedWeights.GroupBytes;
        for (int done = 0; done < outputs;)
        {
            WindowRun run = WindowRun.At(in job->Window, first + done, outputs - done);
            int* tile = buffers.Tile + done * PackedWeights.PanelColumns;
            ColumnQuads<TLanes, TFloat, TInt>.Fill(job, in run, channel, channels, buffers.Quads);
            TKernel.RunDepthwise(run.Count, (byte*)buffers.Quads, in steps, weights, channels, tile);
            if (job->Ones != null)
            {
                int* sums = buffers.Sums + done * PackedWeights.PanelColumns;
                TKernel.RunDepthwise(run.Count, (byte*)buffers.Quads, in steps, job->Ones, channels, sums);
                SubtractZeroPoints(tile, sums, run.Count, job->Gemm.ColumnZeroPoints + channel);
            }

            done += run.Count;
        }

        GemmJob gemm = job->Gemm;
        gemm.ColumnZeroPoints = null;
        GemmEpilogue<TLanes, TFloat, TInt>.Apply(in gemm, buffers.Tile, first, outputs, channel, channels);
    }

    /// <summary>tile[r, c] -= zeroPoints[c] * sums[r, c]: the sum of the activations is another one for each channel.</summary>
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
        public BlockSplit Split;

        /// <summary>Into how many blocks a row that is longer than a block is divided.</summary>
        public int PartsOfRow;
        public int RowsOfBlock;

        /// <summary>The first output of a block.</summary>
        public readonly int First(int block)
        {
            int width = Job->Window.Width.Output;
            (int row, int part) = Math.DivRem(block, PartsOfRow);
            return (int)Math.Min((long)row * RowsOfBlock * width, Job->Gemm.M) + BlockSplit.Part(width, part, PartsOfRow);
        }
    }

    private struct Buffers
    {
        public int* Quads;
        public int* Tile;

        /// <summary>Sums of activations, for weights with zero points.</summary>
        public int* Sums;
    }
}
