using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Prepares the input of a depthwise kernel: for every column of the input that a run of outputs sees, the codes that the kernel meets along that column, four of
/// them next to each other for each channel: [columns][groups of four elements][32 channels][4]. A column serves all outputs that see it.
/// </summary>
internal static unsafe class ColumnQuads<TLanes, TFloat, TInt>
    where TLanes : struct, ILanes<TFloat, TInt>
{
    private const int Most = PackedWeights.PanelColumns;

    /// <summary>Columns of the input that a run of this many outputs sees.</summary>
    public static int Columns(in WindowDimension wide, int outputs) => (outputs - 1) * wide.Stride + (wide.Kernel - 1) * wide.Dilation + 1;

    /// <summary>Groups of four elements that a column of the kernel is divided into.</summary>
    public static int Groups(in Window window) => (window.Depth.Kernel * window.Height.Kernel + PackedWeights.GroupDepth - 1) / PackedWeights.GroupDepth;

    /// <summary>Fills the quads of output channels channel to channel + channels - 1.</summary>
    public static void Fill(ConvolutionJob* job, in WindowRun run, int channel, int channels, int* quads)
    {
        ref readonly WindowDimension deep = ref job->Window.Depth, high = ref job->Window.Height;
        byte* zeros = stackalloc byte[Most];
        new Span<byte>(zeros, Most).Fill((byte)job->Gemm.Activation.ZeroPoint);
        byte** rows = stackalloc byte*[PackedWeights.GroupDepth];
        int elements = deep.Kernel * high.Kernel, groups = Groups(in job->Window);
        for (int element = 0; element < elements; element++)
        {
            (int kd, int kh) = Math.DivRem(element, high.Kernel);
            int depth = deep.Source(run.Depth * deep.Stride + kd * deep.Dilation + deep.Offset, job->Window.Mode);
            int height = high.Source(run.Height * high.Stride + kh * high.Dilation + high.Offset, job->Window.Mode);
            int used = element % PackedWeights.GroupDepth + 1;
            rows[used - 1] = depth < 0 || height < 0 ? null : job->Row(run.Image, depth, height) + channel / job->Multiplier;
            if (used == PackedWeights.GroupDepth || element == elements - 1)
                FillGroup(job, in run, new Rows(rows, used, zeros), channel % job->Multiplier, channels, quads + element / PackedWeights.GroupDepth * Most, groups * Most);
        }
    }

    private static void FillGroup(ConvolutionJob* job, in WindowRun run, Rows rows, int skip, int channels, int* target, int step)
    {
        ref readonly WindowDimension wide = ref job->Window.Width;
        int begin = run.Width * wide.Stride + wide.Offset, end = begin + Columns(in wide, run.Count);
        for (int x = begin; x < end;)
        {
            int source = wide.Source(x, job->Window.Mode);
            // Within the input, all columns at once; multiplied channels are spread column by column.
            int count = source >= 0 && source == x && job->Multiplier == 1 ? Math.Min(end, wide.Input) - x : 1;
            Rows at = rows.At(source, job->Channels);
            if (job->Multiplier == 1)
                FillColumns(at, count, job->Channels, channels, job->InputEnd, target, step);
            else
                FillMultiplied(at, job->Multiplier, skip, channels, job->InputEnd, target);
            x += count;
            target += (nint)count * step;
        }
    }

    /// <summary>Each input channel for as many output channels in a row as the multiplier says.</summary>
    private static void FillMultiplied(Rows rows, int multiplier, int skip, int channels, byte* inputEnd, int* target)
    {
        int* single = stackalloc int[Most];
        FillColumns(rows, 1, 0, (skip + channels - 1) / multiplier + 1, inputEnd, single, 0);
        for (int c = 0; c < channels; c++)
        {
            target[c] = *single;
            if (++skip < multiplier)
                continue;
            skip = 0;
            single++;
        }
    }

    private static void FillColumns(Rows rows, int count, int channelStep, int channels, byte* inputEnd, int* target, int step)
    {
        // Whole vectors may read the channels that follow in memory, as far as there is input.
        int whole = (channels + TLanes.Count - 1) / TLanes.Count * TLanes.Count;
        if (rows.Last(count, channelStep) + whole > inputEnd)
            whole = channels / TLanes.Count * TLanes.Count;
        switch (rows.Used)
        {
            case 1: Fill<Rows1>(rows, count, channelStep, whole, channels, target, step); break;
            case 2: Fill<Rows2>(rows, count, channelStep, whole, channels, target, step); break;
            case 3: Fill<Rows3>(rows, count, channelStep, whole, channels, target, step); break;
            default: Fill<Rows4>(rows, count, channelStep, whole, channels, target, step); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Fill<TUsed>(Rows rows, int count, int channelStep, int whole, int channels, int* target, int step)
        where TUsed : struct, IRows
    {
        byte* r0 = rows.R0, r1 = rows.R1, r2 = rows.R2, r3 = rows.R3;
        nint step0 = rows.Step(r0, channelStep), step1 = rows.Step(r1, channelStep), step2 = rows.Step(r2, channelStep), step3 = rows.Step(r3, channelStep);
        for (; count > 0; count--, target += step, r0 += step0, r1 += step1, r2 += step2, r3 += step3)
        {
            int c = 0;
            for (; c < whole; c += TLanes.Count)
                Quads<TLanes, TFloat, TInt, TUsed>.Fill(r0 + c, r1 + c, r2 + c, r3 + c, target + c);
            for (; c < channels; c++)
                Quads<ScalarLanes, float, int, TUsed>.Fill(r0 + c, r1 + c, r2 + c, r3 + c, target + c);
        }
    }

    /// <summary>Up to four rows of the input at one column; where there is none, zero points that are read again and again.</summary>
    private readonly struct Rows
    {
        private readonly byte* _zeros;

        public Rows(byte** rows, int used, byte* zeros)
        {
            Used = used;
            _zeros = zeros;
            R0 = rows[0];
            R1 = used > 1 ? rows[1] : null;
            R2 = used > 2 ? rows[2] : null;
            R3 = used > 3 ? rows[3] : null;
        }

        private Rows(in Rows rows, int column, int channels)
        {
            Used = rows.Used;
            _zeros = rows._zeros;
            nint offset = (nint)column * channels;
            R0 = column < 0 || rows.R0 == null ? _zeros : rows.R0 + offset;
            R1 = column < 0 || rows.R1 == null ? _zeros : rows.R1 + offset;
            R2 = column < 0 || rows.R2 == null ? _zeros : rows.R2 + offset;
            R3 = column < 0 || rows.R3 == null ? _zeros : rows.R3 + offset;
        }

        public int Used { get; }

        public byte* R0 { get; }

        public byte* R1 { get; }

        public byte* R2 { get; }

        public byte* R3 { get; }

        /// <summary>The rows at a column of the input, or beyond its borders for -1.</summary>
        public Rows At(int column, int channels) => new(in this, column, channels);

        public nint Step(byte* row, int channels) => row == _zeros ? 0 : channels;

        /// <summary>The highest address that the last of some columns begins at.</summary>
        public byte* Last(int count, int channels) => Max(Max(End(R0, count, channels), End(R1, count, channels)), Max(End(R2, count, channels), End(R3, count, channels)));

        private byte* End(byte* row, int count, int channels) => row == _zeros ? null : row + (nint)(count - 1) * channels;

        private static byte* Max(byte* left, byte* right) => left > right ? left : right;
    }
}
