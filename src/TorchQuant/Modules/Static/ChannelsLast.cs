using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// Between the order of the dimensions that PyTorch shows, [batch, channels, spatial...], and the order in memory that the kernels take, channels last:
/// [batch, spatial..., channels]. TorchSharp has no memory formats, so a tensor "in channels last" is a permuted view of a contiguous one.
/// </summary>
internal static class ChannelsLast
{
    private static readonly long[][] s_toLast = [[], [0], [0, 1], [0, 2, 1], [0, 2, 3, 1], [0, 2, 3, 4, 1]];
    private static readonly long[][] s_toSecond = [[], [0], [0, 1], [0, 2, 1], [0, 3, 1, 2], [0, 4, 1, 2, 3]];

    /// <summary>A contiguous tensor [batch, spatial..., channels] of a tensor [batch, channels, spatial...] of 2 to 5 dimensions: a view where the memory is in this order already, else a copy.</summary>
    /// <returns>A new tensor object, which the caller disposes.</returns>
    public static Tensor Of(Tensor input)
    {
        var view = ViewOf(input);
        if (view.is_contiguous())
            return view;
        using (view)
            return view.contiguous();
    }

    /// <summary>The view [batch, spatial..., channels] of a tensor [batch, channels, spatial...].</summary>
    public static Tensor ViewOf(Tensor input) => input.permute(s_toLast[input.dim()]);

    /// <summary>The view [batch, channels, spatial...] of a tensor [batch, spatial..., channels].</summary>
    public static Tensor ToSecond(Tensor channelsLast) => channelsLast.permute(s_toSecond[channelsLast.dim()]);
}
