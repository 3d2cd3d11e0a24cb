namespace TorchQuant.Tests.Models;

/// <summary>
/// Bilinear resizing with antialiasing, in doubles: each output is the mean of the inputs under a triangle around its centre, as wide as an output is in inputs (at least one input to each side); columns first, rounded to bytes,
/// then rows, rounded again.
/// </summary>
internal static class PlainResize
{
    public static byte[] ResizeAndCrop(byte[] image, int channels, int height, int width, int resize, int crop)
    {
        var (newHeight, newWidth) = height <= width ? (resize, resize * width / height) : (resize * height / width, resize);
        var (top, left) = ((int)Math.Round((newHeight - crop) / 2.0), (int)Math.Round((newWidth - crop) / 2.0));
        var output = new byte[channels * crop * crop];
        for (var c = 0; c < channels; c++)
        {
            var columns = new byte[height, newWidth];
            for (var y = 0; y < height; y++)
                for (var x = 0; x < newWidth; x++)
                    columns[y, x] = Mean(width, newWidth, x, at => image[(((c * height) + y) * width) + at]);
            for (var y = 0; y < crop; y++)
                for (var x = 0; x < crop; x++)
                    output[(((c * crop) + y) * crop) + x] = Mean(height, newHeight, top + y, at => columns[at, left + x]);
        }

        return output;
    }

    private static byte Mean(int inputs, int outputs, int output, Func<int, byte> value)
    {
        if (inputs == outputs) return value(output);
        var scale = (double)inputs / outputs;
        var (centre, reach) = ((output + 0.5) * scale, Math.Max(scale, 1));
        double sum = 0, weights = 0;
        for (var i = Math.Max(0, (int)(centre - reach) - 1); i < Math.Min(inputs, centre + reach + 1); i++)
        {
            var weight = Math.Max(0, 1 - (Math.Abs(i + 0.5 - centre) / reach));
            sum += weight * value(i);
            weights += weight;
        }

        return (byte)Math.Floor((sum / weights) + 0.5);
    }
}
