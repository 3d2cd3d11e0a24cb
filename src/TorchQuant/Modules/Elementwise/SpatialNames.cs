namespace TorchQuant.Modules;

/// <summary>How messages call the spatial dimensions of an input.</summary>
internal static class SpatialNames
{
    /// <summary>The names of 1 to 3 dimensions, with commas between.</summary>
    public static string Of(int dimensions) => dimensions switch { 1 => "length", 2 => "height, width", _ => "depth, height, width" };
}
