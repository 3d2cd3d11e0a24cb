using System.Buffers;
using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Convolution whose tiles read the input where it is, or a padded copy of a part of it: the kernel goes from each group of four of the depth to the next by a table of steps, so that
/// the overlapping windows of neighbouring outputs are never written out. Order: a block of output rows, in it one panel of 32 output channels after the other, for each the tiles of
/// outputs. Threads share the blocks, and the panels where there are few of them.
/// </summary>
internal static unsafe class WindowDriver<TKernel, TLanes, TFloat, TInt>
    where TKernel : struct, IMicroKernel
    where TLanes : struct, ILanes<TFloat, TInt>
{
    /// <summary>Shorter output rows make tiles too low.</summary>
    private const int LeastRow = 4;

    /// <summary>Weights of all panels, and output of the tiles that they take turns on: parts of the L1 cache.</summary>
    private const int WeightsInL1 = 16 * 1024, OutputInL1 = 8 * 1024;

    /// <returns>False if this is not for it: nothing is done then.</returns>
    public static bool TryRun(ConvolutionJob* job, int threads)
    {
        if (!Fits(job))
            return false;
        int panels = (job->Gemm.N + PackedWeights.PanelColumns - 1) / PackedWeights.PanelColumns, termBytes = panels * sizeof(ByteTerms);
        byte[] rented = ArrayPool<byte>.Shared.Rent(checked(termBytes + job->Gemm.Groups * sizeof(nint) + CacheLine.Bytes));
        bool isBounded = true;
        fixed (byte* memory = rented)
        {
            var work = new State { Job = job, Terms = (ByteTerms*)CacheLine.Align(memory) };
            for (int panel = 0; panel < panels; panel++)
            {
                ByteEpilogue<TLanes, TFloat, TInt>.Prepare(in job->Gemm, panel * PackedWeights.PanelColumns, Columns(job, panel), work.Terms + panel);
                isBounded &= work.Terms[panel].IsBounded;
            }

            if (isBounded)
            {
                work.Plan = new WindowPlan(in *job, TKernel.PlacedRowsToBytes(PackedWeights.PanelColumns, job->Gemm.Groups), Math.Min(threads, Environment.ProcessorCount));
                work.Steps = (nint*)((byte*)work.Terms + termBytes);
                FillSteps(job, in work.Plan, work.Steps);
                work.Split = BlockSplit.Of(work.Plan.Blocks, job->Gemm.N, threads);
                WorkerPool.Run(work.Split.Units, threads, &RunUnit, &work, (long)job->Gemm.M * job->Gemm.N * job->Gemm.K / 200);
            }
        }

        ArrayPool<byte>.Shared.Return(rented);
        return isBounded;
    }

    private static bool Fits(ConvolutionJob* job) =>
        TKernel.TakesPlacedTiles && job->Gemm.Fused != FusedActivation.Hardswish && job->Gemm.ColumnZeroPoints == null && job->Runs.Depth % PackedWeights.GroupDepth == 0
        && job->Window.Width.Output >= LeastRow;

    /// <summary>Bytes from each group of the depth to the next, run by run.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FillSteps(ConvolutionJob* job, in WindowPlan plan, nint* steps)
    {
        ref readonly Window window = ref job->Window;
        int groups = job->Runs.Depth / PackedWeights.GroupDepth, runs = window.Width.Kernel / job->Runs.Elements;
        nint before = 0;
        nint* next = steps - 1;
        for (int kd = 0; kd < window.Depth.Kernel; kd++)
        {
            for (int kh = 0; kh < window.Height.Kernel; kh++)
            {
                for (int kw = 0; kw < runs; kw++)
                {
                    nint at = kd * plan.PlaneBytes + (nint)kh * window.Height.Dilation * plan.Pitch + (nint)kw * window.Width.Dilation * plan.PixelBytes;
                    if (next >= steps)
                        *next = at - before;
                    next++;
                    new Span<nint>(next, groups - 1).Fill(PackedWeights.GroupDepth);
                    next += groups - 1;
                    before = at + (nint)(groups - 1) * PackedWeights.GroupDepth;
                }
            }
        }

        *next = 0;
    }

    [SkipLocalsInit]
    private static void RunUnit(void* state, int unit)
    {
        var work = (State*)state;
        work->Split.Unit(unit, out int block, out int firstPanel, out int endPanel);
        ConvolutionJob* job = work->Job;
        int first = work->Plan.First(block), pieces = work->Plan.First(block + 1) - first;
        // Every output may be a tile of its own.
        int inputBytes = checked(pieces * work->Plan.PieceBytes), mostTiles = checked(pieces * work->Plan.MostRows * work->Plan.LongestRow);
        byte[] rented = ArrayPool<byte>.Shared.Rent(checked(inputBytes + mostTiles * sizeof(TilePlace) + CacheLine.Bytes));
        fixed (byte* memory = rented)
        {
            byte* inputs = CacheLine.Align(memory);
            for (int piece = 0; piece < pieces && !work->Plan.IsInPlace; piece++)
                Copy(work, first + piece, inputs + piece * work->Plan.PieceBytes);
            RunPanels(work, block, firstPanel, endPanel, inputs, (TilePlace*)(inputs + inputBytes));
            for (int piece = first; piece < first + pieces && job->Gemm.Residual.IsSet; piece++)
                AddResidual(job, work->Plan.Piece(piece), firstPanel, endPanel);
        }

        ArrayPool<byte>.Shared.Return(rented);
    }

    /// <summary>To the outputs of a piece, which are still in the cache.</summary>
    private static void AddResidual(ConvolutionJob* job, in OutputPiece outputs, int firstPanel, int endPanel)
    {
        ref readonly Window window = ref job->Window;
        int firstColumn = firstPanel * PackedWeights.PanelColumns, columns = Math.Min(job->Gemm.N, endPanel * PackedWeights.PanelColumns) - firstColumn;
        nint stride = job->Gemm.OutputStride, plane = (nint)outputs.Image * window.Depth.Output + outputs.Depth;
        for (int row = outputs.Height; row < outputs.Height + outputs.Count; row++)
        {
            byte* codes = (byte*)job->Gemm.Output + ((plane * window.Height.Output + row) * window.Width.Output + outputs.Width) * stride + firstColumn;
            ResidualLanes<TLanes, TFloat, TInt>.AddTo(codes, stride, outputs.Length, columns, in job->Gemm.Residual);
        }
    }

    private static void Copy(State* work, int piece, byte* target)
    {
        ref readonly Window window = ref work->Job->Window;
        OutputPiece outputs = work->Plan.Piece(piece);
        var input = new PaddedInput
        {
            Row = outputs.Height * window.Height.Stride + window.Height.Offset,
            Rows = WindowPlan.InputRows(in window.Height, outputs.Count),
            Column = outputs.Width * window.Width.Stride + window.Width.Offset,
            Columns = WindowPlan.InputRows(in window.Width, outputs.Length),
            Pitch = work->Plan.Pitch,
            PlaneBytes = work->Plan.PlaneBytes,
        };
        input.Copy(work->Job, outputs.Image, outputs.Depth, target);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunPanels(State* work, int block, int firstPanel, int endPanel, byte* inputs, TilePlace* places)
    {
        ConvolutionJob* job = work->Job;
        int firstPiece = work->Plan.First(block), pieces = work->Plan.First(block + 1) - firstPiece;
        byte* memory = stackalloc byte[sizeof(ByteTiles) + CacheLine.Bytes];
        var tiles = (ByteTiles*)CacheLine.Align(memory);
        tiles->Set(in job->Gemm);
        tiles->Stride = (nint)job->Window.Width.Stride * work->Plan.PixelBytes;
        tiles->Steps = work->Steps;
        if (job->Grid.IsSet)
            tiles->OutputStride *= job->Grid.Width.Step;
        for (int panel = firstPanel, next; panel < endPanel; panel = next)
        {
            // A last panel of few columns may have tiles of its own height.
            int most = TKernel.PlacedRowsToBytes(Columns(job, panel), job->Gemm.Groups);
            next = panel + 1;
            while (next < endPanel && TKernel.PlacedRowsToBytes(Columns(job, next), job->Gemm.Groups) == most)
                next++;
            WindowTiles placed = WindowTiles.Place(job, in work->Plan, firstPiece, pieces, inputs, most, places);
            int count = placed.TallTiles + placed.LowTiles, together = AreInL1(job, next - panel) ? next - panel : 1;
            NextBlock ahead = together == 1 && endPanel - firstPanel == work->Split.Panels ? WindowAhead.Of(job, in work->Plan, block, count * job->Gemm.Groups) : default;
            for (int first = panel; first < next; first += together)
            {
                tiles->Panel = Weights(job, first);
                tiles->Fetch(ahead.Memory(endPanel - 1 - first), count);
                RunTiles(work, first, first + together, places, placed.TallTiles, placed.TallRows, tiles);
                RunTiles(work, first, first + together, placed.Low, placed.LowTiles, placed.LowRows, tiles);
            }
        }
    }

    /// <summary>Whether panels stay in the L1 cache, all of them: then they take turns on a few tiles each, so that the lines of the output that they share stay there too.</summary>
    private static bool AreInL1(ConvolutionJob* job, int panels) => panels > 1 && panels * job->Gemm.Groups * PackedWeights.GroupBytes <= WeightsInL1;

    /// <summary>Tiles of one height.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunTiles(State* work, int firstPanel, int endPanel, TilePlace* places, int count, int rows, ByteTiles* tiles)
    {
        ConvolutionJob* job = work->Job;
        int panels = endPanel - firstPanel, most = count;
        if (AreInL1(job, panels))
            most = (int)Math.Max(1, OutputInL1 / (rows * panels * PackedWeights.PanelColumns));
        for (int first = 0; first < count; first += most)
        {
            for (int panel = firstPanel; panel < endPanel; panel++)
            {
                tiles->Terms = work->Terms + panel;
                tiles->Panel = Weights(job, panel);
                tiles->Output = (byte*)job->Gemm.Output + panel * PackedWeights.PanelColumns;
                tiles->Places = places + first;
                tiles->Count = Math.Min(most, count - first);
                TKernel.RunPlacedToBytes(rows, Columns(job, panel), tiles);
            }
        }
    }

    private static sbyte* Weights(ConvolutionJob* job, int panel) => job->Gemm.Panels + panel * job->Gemm.Groups * PackedWeights.GroupBytes;

    private static int Columns(ConvolutionJob* job, int panel) => Math.Min(PackedWeights.PanelColumns, job->Gemm.N - panel * PackedWeights.PanelColumns);

    private struct State
    {
        public ConvolutionJob* Job;
        public WindowPlan Plan;
        public BlockSplit Split;

        /// <summary>Of all panels.</summary>
        public ByteTerms* Terms;
        public nint* Steps;
    }
}
