using System.Buffers;

namespace TorchQuant.Kernels;

/// <summary>
/// Convolution as a product without an im2col of the whole image: what a block of outputs sees is gathered into a buffer that stays in the cache while all panels of
/// weights pass over it, tile by tile, as in <see cref="GemmDriver{TKernel, TLanes, TFloat, TInt}"/>. Threads share the blocks.
/// </summary>
internal static unsafe class ConvolutionDriver<TKernel, TLanes, TFloat, TInt>
    where TKernel : struct, IMicroKernel
    where TLanes : struct, ILanes<TFloat, TInt>
{
    /// <summary>Activations and outputs of a block: a small part of the L2 cache. From 24 to 160 KB the speed was the same.</summary>
    private const int BlockBytes = 64 * 1024;

    /// <summary>Rows of a block at least, however long: each row uses the weights that come from L2 or beyond once more.</summary>
    private const int LeastRows = 48;

    public static void Run(ConvolutionJob* job, int threads)
    {
        int rows = job->Gemm.M, features = job->Gemm.K;
        int most = Math.Max(LeastRows, BlockBytes / (features + job->Gemm.N));
        var split = new State { Job = job, Split = BlockSplit.Of((rows + most - 1) / most, job->Gemm.N, threads) };
        WorkerPool.Run(split.Split.Units, threads, &RunUnit, &split, (long)rows * job->Gemm.N * features / 200);
    }

    private static void RunUnit(void* state, int unit)
    {
        var work = (State*)state;
        ConvolutionJob* job = work->Job;
        work->Split.Unit(unit, out int block, out int firstPanel, out int endPanel);
        int first = EvenSplit.Part(job->Gemm.M, block, work->Split.Blocks), rows = EvenSplit.Part(job->Gemm.M, block + 1, work->Split.Blocks) - first;
        int stride = Int8Gemm.RowStride(rows, job->Gemm.K);
        byte[] rented = ArrayPool<byte>.Shared.Rent(checked(rows * stride + CacheLine.Bytes));
        fixed (byte* memory = rented)
        {
            byte* activations = CacheLine.Align(memory);
            WindowGather.Fill(job, first, rows, activations, stride);
            GemmJob gemm = job->Gemm;
            gemm.A = activations;
            gemm.Stride = stride;
            gemm.M = rows;
            if (job->Grid.IsSet)
                MultiplyToGrid(job, &gemm, first, firstPanel, endPanel);
            else
                MultiplyInPlace(&gemm, first, firstPanel, endPanel);
        }

        ArrayPool<byte>.Shared.Return(rented);
    }

    private static void MultiplyInPlace(GemmJob* gemm, int first, int firstPanel, int endPanel)
    {
        gemm->Output = (byte*)gemm->Output + first * gemm->OutputStride;
        Multiply(gemm, firstPanel, endPanel);
    }

    /// <summary>Outputs that lie apart are computed next to each other and then put into their places.</summary>
    private static void MultiplyToGrid(ConvolutionJob* job, GemmJob* gemm, int first, int firstPanel, int endPanel)
    {
        int firstColumn = firstPanel * PackedWeights.PanelColumns, columns = Math.Min(gemm->N, endPanel * PackedWeights.PanelColumns) - firstColumn;
        nint outputStride = gemm->OutputStride;
        byte* output = (byte*)gemm->Output + firstColumn;
        byte[] rented = ArrayPool<byte>.Shared.Rent(checked(gemm->M * gemm->N));
        fixed (byte* rows = rented)
        {
            gemm->Output = rows;
            gemm->OutputStride = gemm->N;
            Multiply(gemm, firstPanel, endPanel);
            for (int row = 0; row < gemm->M;)
            {
                WindowRun run = WindowRun.At(in job->Window, first + row, gemm->M - row);
                SegmentCopy.Copy(rows + (nint)row * gemm->N + firstColumn, gemm->N, output + job->Grid.Position(in run) * outputStride, job->Grid.Width.Step * outputStride, run.Count, columns);
                row += run.Count;
            }
        }

        ArrayPool<byte>.Shared.Return(rented);
    }

    /// <summary>All rows of a job, with the sums of its rows where the weights have zero points.</summary>
    internal static void Multiply(GemmJob* gemm, int firstPanel, int endPanel)
    {
        if (gemm->ColumnZeroPoints == null)
        {
            GemmDriver<TKernel, TLanes, TFloat, TInt>.RunPart(gemm, firstPanel, endPanel, 0, gemm->M);
            return;
        }

        int[] rented = ArrayPool<int>.Shared.Rent(gemm->M);
        for (int row = 0; row < gemm->M; row++)
            rented[row] = Elementwise<TLanes, TFloat, TInt>.Sum(gemm->A + row * gemm->Stride, gemm->K) - TKernel.ActivationOffset * gemm->K;
        fixed (int* sums = rented)
        {
            gemm->RowSums = sums;
            GemmDriver<TKernel, TLanes, TFloat, TInt>.RunPart(gemm, firstPanel, endPanel, 0, gemm->M);
        }

        ArrayPool<int>.Shared.Return(rented);
    }

    private struct State
    {
        public ConvolutionJob* Job;
        public BlockSplit Split;
    }
}
