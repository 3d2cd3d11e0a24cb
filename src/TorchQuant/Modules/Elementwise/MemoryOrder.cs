using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// Modules whose kernel does not care which dimension is which work on the codes in the order in which they lie in memory, and give their results in the same order: what comes with
/// the channels last goes on so, without a copy.
/// </summary>
internal static class MemoryOrder
{
    /// <summary>A contiguous tensor of the same elements: the input itself where it is contiguous; else, of 3 to 5 dimensions, with the channels last; else a copy.</summary>
    /// <param name="input">Any tensor; borrowed.</param>
    /// <param name="channelsLast">Whether the dimensions are [batch, spatial..., channels].</param>
    /// <returns>A new tensor object, which the caller disposes.</returns>
    public static Tensor Of(Tensor input, out bool channelsLast)
    {
        channelsLast = false;
        if (input.is_contiguous())
            return input.alias();
        channelsLast = input.dim() is >= 3 and <= 5;
        return channelsLast ? ChannelsLast.Of(input) : input.contiguous();
    }

    /// <summary>A result with its dimensions in PyTorch's order.</summary>
    /// <param name="inMemoryOrder">The result as <see cref="Of(Tensor, out bool)"/> orders the dimensions; taken over.</param>
    /// <param name="channelsLast">Whether that is [batch, spatial..., channels].</param>
    public static Tensor Restore(Tensor inMemoryOrder, bool channelsLast)
    {
        if (!channelsLast)
            return inMemoryOrder;
        using (inMemoryOrder)
            return ChannelsLast.ToSecond(inMemoryOrder);
    }
}
