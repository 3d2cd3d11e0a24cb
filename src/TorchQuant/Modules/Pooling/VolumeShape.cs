namespace TorchQuant.Modules;

/// <summary>The sizes of signals, pictures or volumes with the channels last; what a signal or a picture has not is 1.</summary>
internal readonly record struct VolumeShape(int Batch, int Depth, int Height, int Width, int Channels)
{
    /// <summary>Of the shape of a tensor.</summary>
    /// <param name="channelsLast">[batch, length, channels], [batch, height, width, channels] or [batch, depth, height, width, channels].</param>
    public static VolumeShape Of(ReadOnlySpan<long> channelsLast)
    {
        var (count, last) = (channelsLast.Length, channelsLast.Length - 1);
        return checked(new((int)channelsLast[0], count < 5 ? 1 : (int)channelsLast[1], count < 4 ? 1 : (int)channelsLast[last - 2], (int)channelsLast[last - 1], (int)channelsLast[last]));
    }

    /// <summary>The shape of a tensor of so many dimensions.</summary>
    public long[] Sizes(int dimensions) => dimensions switch
    {
        3 => [Batch, Width, Channels],
        4 => [Batch, Height, Width, Channels],
        _ => [Batch, Depth, Height, Width, Channels],
    };
}
