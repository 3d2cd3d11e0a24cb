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

    /// <summary>Whether the memory of a tensor [batch, channels, spatial...] is in the order [batch, spatial..., channels], without gaps.</summary>
    public static bool LiesSo(Tensor tensor)
    {
        var last = (int)tensor.dim() - 1;
        long next = 1;
        for (var i = 0; i <= last; i++)
        {
            // Channels, then the spatial dimensions from the last on, then the batch.
            var dimension = i == 0 ? 1 : i == last ? 0 : last - i + 1;
            var size = tensor.size(dimension);
            if (size != 1 && tensor.stride(dimension) != next)
                return false;
            next *= size;
        }

        return true;
    }

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
