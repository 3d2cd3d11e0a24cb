using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>One order of memory for several tensors: channels last if one of them lies so.</summary>
internal static class CodeOrder
{
    /// <summary>Whether a tensor of that many dimensions, 3 to 5, has its channels last in memory. One that has them second too (a single channel, a single pixel) does not count.</summary>
    public static bool LiesChannelsLast(Tensor tensor, int dimensions) => dimensions is >= 3 and <= 5 && tensor.dim() == dimensions && !tensor.is_contiguous() && ChannelsLast.LiesSo(tensor);

    /// <summary>The tensor in that order: a view where it lies so, else a copy.</summary>
    /// <returns>A contiguous tensor, which the caller disposes.</returns>
    public static Tensor Of(Tensor tensor, bool channelsLast) => channelsLast ? ChannelsLast.Of(tensor) : tensor.is_contiguous() ? tensor.alias() : tensor.contiguous();
}
