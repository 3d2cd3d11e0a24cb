using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Prepares the input of a depthwise kernel: for every column of the input that a piece of output rows sees, the codes along that column, four of them next to each
/// other for each channel: [columns][groups of four elements][32 channels][4]. A column serves all outputs that see it.
/// </summary>
internal static unsafe class ColumnQuads<TLanes, TFloat, TInt>
    where TLanes : struct, ILanes<TFloat, TInt>
{
    private const int Most = PackedWeights.PanelColumns;

    /// <summary>Columns of the input that a row of this many outputs sees.</summary>
    public static int Columns(in WindowDimension wide, int outputs) => checked((outputs - 1) * wide.Stride + (wide.Kernel - 1) * wide.Dilation + 1);

    /// <summary>Fills the quads of output channels channel to channel + channels - 1.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fill(ConvolutionJob* job, in OutputPiece outputs, int groups, int channel, int channels, int* quads)
    {
        ref readonly WindowDimension deep = ref job->Window.Depth, high = ref job->Window.Height;
        byte* zeros = stackalloc byte[Most];
        for (int i = 0; i < Most; i += sizeof(uint))
            *(uint*)(zeros + i) = (uint)job->Gemm.Activation.ZeroPoint * 0x01010101u;
        (int input, int skip) = job->Multiplier == 1 ? (channel, 0) : Math.DivRem(channel, job->Multiplier);
        var rows = new QuadRows { Zeros = zeros };
        int elements = outputs.Elements(in job->Window);
        for (int element = 0; element < elements; element++)
        {
            (int kd, int kh) = deep.Kernel == 1 ? (0, element) : Math.DivRem(element, high.Kernel);
            int depth = deep.Source(outputs.Depth * deep.Stride + kd * deep.Dilation + deep.Offset, job->Window.Mode);
            int height = high.Source(outputs.Height * high.Stride + kh * high.Dilation + high.Offset, job->Window.Mode);
            rows.Add(depth < 0 || height < 0 ? null : job->Row(outputs.Image, depth, height) + input);
            if (rows.Used < PackedWeights.GroupDepth && element < elements - 1)
                continue;
            FillGroup(job, in outputs, in rows, skip, channels, quads, groups * Most);
            quads += Most;
            rows.Used = 0;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FillGroup(ConvolutionJob* job, in OutputPiece outputs, in QuadRows rows, int skip, int channels, int* target, int step)
    {
        ref readonly WindowDimension wide = ref job->Window.Width;
        int begin = outputs.Width * wide.Stride + wide.Offset, end = begin + Columns(in wide, outputs.Length);
        for (int x = begin; x < end;)
        {
            int source = wide.Source(x, job->Window.Mode), count = 1;
            if (source < 0)
            {
                FillZeros(in rows, target);
            }
            else if (job->Multiplier == 1)
            {
                // Within the input, all columns at once.
                count = source == x ? Math.Min(end, wide.Input) - x : 1;
                FillColumns(in rows, (nint)source * job->Channels, count, job->Channels, channels, job->InputEnd, target, step);
            }
            else
            {
                FillMultiplied(in rows, (nint)source * job->Channels, job->Multiplier, skip, channels, job->InputEnd, target);
            }

            x += count;
            target += (nint)count * step;
        }
    }

    private static void FillZeros(in QuadRows rows, int* target)
    {
        TInt zeros = TLanes.BroadcastInt(rows.ZeroQuad);
        for (int c = 0; c < Most; c += TLanes.Count)
            TLanes.StoreInt(zeros, target + c);
    }

    /// <summary>Each input channel for as many output channels in a row as the multiplier says.</summary>
    private static void FillMultiplied(in QuadRows rows, nint offset, int multiplier, int skip, int channels, byte* inputEnd, int* target)
    {
        int* single = stackalloc int[Most];
        FillColumns(in rows, offset, 1, 0, (skip + channels - 1) / multiplier + 1, inputEnd, single, 0);
        for (int c = 0; c < channels; c++)
        {
            target[c] = *single;
            if (++skip < multiplier)
                continue;
            skip = 0;
            single++;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FillColumns(in QuadRows rows, nint offset, int count, int channelStep, int channels, byte* inputEnd, int* target, int step)
    {
        // Whole vectors may read the channels that follow in memory, as far as there is input.
        int whole = (channels + TLanes.Count - 1) / TLanes.Count * TLanes.Count;
        if (rows.Highest + offset + (nint)(count - 1) * channelStep + whole > inputEnd)
            whole = channels / TLanes.Count * TLanes.Count;
        switch (rows.Used)
        {
            case 1: Fill<Rows1>(in rows, offset, count, channelStep, whole, channels, target, step); break;
            case 2: Fill<Rows2>(in rows, offset, count, channelStep, whole, channels, target, step); break;
            case 3: Fill<Rows3>(in rows, offset, count, channelStep, whole, channels, target, step); break;
            default: Fill<Rows4>(in rows, offset, count, channelStep, whole, channels, target, step); break;
        }
    }

    private static void Fill<TUsed>(in QuadRows rows, nint offset, int count, int channelStep, int whole, int channels, int* target, int step)
        where TUsed : struct, IRows
    {
        int c = 0;
        for (; c < whole; c += TLanes.Count)
            Quads<TLanes, TFloat, TInt, TUsed>.Fill(in rows, offset, c, count, channelStep, target + c, step);
        for (; c < channels; c++)
            Quads<ScalarLanes, float, int, TUsed>.Fill(in rows, offset, c, count, channelStep, target + c, step);
    }
}
