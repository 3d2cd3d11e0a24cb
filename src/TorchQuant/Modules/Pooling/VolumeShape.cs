namespace TorchQuant.Modules;

/// <summary>The sizes of signals, pictures or volumes with the channels last; what a signal or a picture has not is 1.</summary>
internal readonly record struct VolumeShape(int Batch, int Depth, int Height, int Width, int Channels)
{
    /// <summary>Of the shape of a tensor.</summary>
    /// <param name="channelsSecond">[batch, channels, length], [batch, channels, height, width] or [batch, channels, depth, height, width].</param>
    public static VolumeShape Of(ReadOnlySpan<long> channelsSecond)
    {
        var count = channelsSecond.Length;
        return checked(new((int)channelsSecond[0], count < 5 ? 1 : (int)channelsSecond[2], count < 4 ? 1 : (int)channelsSecond[^2], (int)channelsSecond[^1], (int)channelsSecond[1]));
    }

    /// <summary>The shape of a tensor of so many dimensions with the channels last.</summary>
    public long[] Sizes(int dimensions) => dimensions switch
    {
        3 => [Batch, Width, Channels],
        4 => [Batch, Height, Width, Channels],
        _ => [Batch, Depth, Height, Width, Channels],
    };
}
