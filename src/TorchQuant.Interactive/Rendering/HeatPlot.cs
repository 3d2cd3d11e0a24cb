using System.Globalization;

namespace TorchQuant.Interactive.Rendering;

/// <summary>Lays out a <see cref="HeatMap"/>: one picture of a pixel per cell, whose opacity is the shade, so that it is right on any ground.</summary>
internal static class HeatPlot
{
    private const double LargestCell = 18, Highest = 280;

    public static Scene Draw(HeatMap map)
    {
        var frame = new Frame(map);
        var items = new List<LegendItem> { new("above zero", new Paint(Palette.Positive), Swatch.Box), new("below zero", new Paint(Palette.Negative), Swatch.Box) };
        if (map.Values.Any(value => !double.IsFinite(value))) items.Add(new LegendItem("not finite", new Paint(Palette.Neutral), Swatch.Box));
        frame.Legend(items);
        frame.AxisName(map.RowLabel);
        const double left = Frame.Margin;
        var cell = Math.Min(Math.Min(LargestCell, Highest / map.Rows), (frame.Width - 2 * Frame.Margin) / map.Columns);
        // A single row is made higher than it is wide, to be seen.
        var height = map.Rows == 1 ? LargestCell : cell;
        double top = frame.Y + 4, width = cell * map.Columns;
        frame.Marks.Add(new PathMark([(left, top), (left + width, top), (left + width, top + height * map.Rows), (left, top + height * map.Rows), (left, top)], Paint.AxisLine, 1));
        frame.Marks.Add(new ImageMark(left, top, width, height * map.Rows, Picture(map), RangeOf(map)));
        frame.Y = top + height * map.Rows;
        frame.AxisNameBelow(map.ColumnLabel, left, Math.Max(left + width, left + TextMetrics.Width(map.ColumnLabel, Frame.LabelSize) + 4));
        return frame.Finish(RangeOf(map), RangeOf(map));
    }

    /// <summary>What the shades mean.</summary>
    public static string RangeOf(HeatMap map)
    {
        var finite = map.Values.Where(double.IsFinite).ToList();
        return finite.Count == 0 ? "Nothing here is finite." : $"From {NumberText.Short(finite.Min())} to {NumberText.Short(finite.Max())}; the strongest shade is a magnitude of {NumberText.Short(map.Largest)}.";
    }

    private static string Picture(HeatMap map)
    {
        var pixels = new byte[4 * map.Values.Count];
        for (var i = 0; i < map.Values.Count; i++)
        {
            var value = map.Values[i];
            var finite = double.IsFinite(value);
            var color = int.Parse((finite ? value < 0 ? Palette.Negative : Palette.Positive : Palette.Neutral).AsSpan(1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            var opacity = !finite ? 1 : map.Largest == 0 ? 0 : Math.Abs(value) / map.Largest;
            (pixels[4 * i], pixels[4 * i + 1], pixels[4 * i + 2], pixels[4 * i + 3]) = ((byte)(color >> 16), (byte)(color >> 8), (byte)color, (byte)Math.Round(255 * opacity));
        }
        return Png.DataUri(pixels, map.Columns, map.Rows, 4);
    }
}
