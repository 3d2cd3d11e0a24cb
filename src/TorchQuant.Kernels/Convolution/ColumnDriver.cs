using System.Buffers;

namespace TorchQuant.Kernels;

/// <summary>
/// Convolution of inputs of few channels, the first of most networks: with so short rows of the product's depth, gathering what each output sees takes longer than
/// multiplying it. Neighbouring outputs of a row share it instead (<see cref="ColumnMatrix"/>). Threads share blocks of rows.
/// </summary>
internal static unsafe class ColumnDriver<TKernel, TLanes, TFloat, TInt>
    where TKernel : struct, IMicroKernel
    where TLanes : struct, ILanes<TFloat, TInt>
{
    /// <summary>Outputs of a row at once, and output rows whose input is padded at once: together they stay in the L1 or L2 cache.</summary>
    private const int MostOutputs = 256, MostRows = 14;

    private const int Alignment = 64;

    public static void Run(ConvolutionJob* job, int threads)
    {
        ref readonly WindowDimension wide = ref job->Window.Width, high = ref job->Window.Height;
        var work = new State { Job = job, WidthParts = (wide.Output + MostOutputs - 1) / MostOutputs, HeightParts = (high.Output + MostRows - 1) / MostRows };
        int images = (int)(job->Gemm.M / job->Window.Outputs);
        work.Split = BlockSplit.Of(checked(images * work.HeightParts * work.WidthParts), job->Gemm.N, threads);
        int rows = Math.Min(MostRows, (high.Output + work.HeightParts - 1) / work.HeightParts);
        work.Matrix.Columns = Columns(in wide, (wide.Output + work.WidthParts - 1) / work.WidthParts);
        work.MatrixBytes = checked(((work.Matrix.Columns * high.Kernel + rows * high.Stride) * job->Channels + ColumnMatrix.Slack + Alignment - 1) / Alignment * Alignment);
        work.Bytes = checked(work.MatrixBytes + PaddedRows(in high, rows) * work.Matrix.RowBytes(job->Channels) + Alignment);
        WorkerPool.Run(work.Split.Units, threads, &RunUnit, &work, (long)job->Gemm.M * job->Gemm.N * job->Gemm.K / 200);
    }

    private static int Columns(in WindowDimension wide, int outputs) => checked((outputs - 1) * wide.Stride + wide.Kernel);

    private static int PaddedRows(in WindowDimension high, int rows) => checked((rows - 1) * high.Stride + (high.Kernel - 1) * high.Dilation + 1);

    private static void RunUnit(void* state, int unit)
    {
        var work = (State*)state;
        ConvolutionJob* job = work->Job;
        ref readonly WindowDimension wide = ref job->Window.Width, high = ref job->Window.Height;
        work->Split.Unit(unit, out int block, out int firstPanel, out int endPanel);
        (block, int widthPart) = Math.DivRem(block, work->WidthParts);
        (int image, int heightPart) = Math.DivRem(block, work->HeightParts);
        int x = EvenSplit.Part(wide.Output, widthPart, work->WidthParts), outputs = EvenSplit.Part(wide.Output, widthPart + 1, work->WidthParts) - x;
        int y = EvenSplit.Part(high.Output, heightPart, work->HeightParts), rows = EvenSplit.Part(high.Output, heightPart + 1, work->HeightParts) - y;
        var matrix = new ColumnMatrix { Columns = Columns(in wide, outputs) };
        nint rowBytes = matrix.RowBytes(job->Channels);
        byte[] rented = ArrayPool<byte>.Shared.Rent(work->Bytes);
        fixed (byte* memory = rented)
        {
            GemmJob gemm = job->Gemm;
            gemm.A = (byte*)(((nuint)memory + (Alignment - 1)) & ~(nuint)(Alignment - 1));
            gemm.Stride = (nint)wide.Stride * high.Kernel * job->Channels;
            gemm.M = outputs;
            byte* padded = gemm.A + work->MatrixBytes, output = (byte*)gemm.Output;
            matrix.Pad(job, image, y * high.Stride + high.Offset, PaddedRows(in high, rows), x * wide.Stride + wide.Offset, padded);
            for (int row = 0; row < rows; row++)
            {
                byte* seen = padded + row * high.Stride * rowBytes;
                if (row > 0 && high.Dilation == 1 && high.Stride < high.Kernel)
                    gemm.A = matrix.MoveDown(seen, high.Kernel, high.Stride, rowBytes, job->Channels, gemm.A);
                else
                    matrix.Fill(seen, high.Kernel, high.Dilation * rowBytes, job->Channels, gemm.A);
                gemm.Output = output + (((nint)image * high.Output + y + row) * wide.Output + x) * gemm.OutputStride;
                ConvolutionDriver<TKernel, TLanes, TFloat, TInt>.Multiply(&gemm, firstPanel, endPanel);
            }
        }

        ArrayPool<byte>.Shared.Return(rented);
    }

    private struct State
    {
        public ConvolutionJob* Job;
        public BlockSplit Split;
        public int WidthParts;
        public int HeightParts;

        /// <summary>The widest of all units.</summary>
        public ColumnMatrix Matrix;
        public int MatrixBytes;

        /// <summary>All buffers of a unit.</summary>
        public int Bytes;
    }
}
