namespace TorchQuant.Interactive.Rendering;

/// <summary>Lays out an <see cref="ImageGrid"/>: as many columns as fit a page of 720 pixels, each row as high as its highest image with what is written under it.</summary>
internal static class ImagePlot
{
    private const double Page = 720, Gap = 12, Line = 16, Size = 12;

    public static Scene Draw(ImageGrid grid)
    {
        double column = Math.Max(grid.ImageWidth, ImageGrid.LeastColumn), page = Math.Max(Page, column + 2 * Frame.Margin);
        var across = Math.Max(1, (int)((page - 2 * Frame.Margin + Gap) / (column + Gap)));
        var marks = new List<Mark>();
        var y = Lines(marks, grid.Title, 16, Paint.Text, 8, page, bold: true) + 6;
        foreach (var row in grid.Images.Chunk(across))
        {
            double x = Frame.Margin, lowest = y;
            foreach (var image in row)
            {
                lowest = Math.Max(lowest, DrawImage(marks, image, x, y, grid.ImageWidth, column));
                x += column + Gap;
            }
            y = lowest + Gap;
        }
        y = Lines(marks, grid.Caption, 11.5, Paint.Muted, y, page, bold: false);
        var words = string.Join("; ", grid.Images.Select(image => string.Join(", ", image.Predictions.Select(TextOf).Prepend(image.Caption).Where(text => text.Length > 0))));
        return new Scene(grid.Title, $"{grid.Images.Count} images. {words}", page, Math.Ceiling(y + 10), marks);
    }

    // Returns the lower end.
    private static double DrawImage(List<Mark> marks, GridImage image, double x, double y, double width, double column)
    {
        var height = Math.Max(1, Math.Round(width * image.Height / image.Width));
        marks.Add(new ImageMark(x, y, width, height, image.DataUri, image.Caption));
        marks.Add(new PathMark([(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)], Paint.AxisLine, 1));
        y += height + 3;
        foreach (var line in TextMetrics.Wrap(image.Caption, Size, column, 3))
        {
            y += Line;
            marks.Add(new TextMark(x, y - 3, line, Size, Paint.Text));
        }
        foreach (var prediction in image.Predictions)
        {
            y += Line;
            marks.Add(new DotsMark([(x + 4, y - 7)], new Paint(Palette.ForName(prediction.Model) ?? Palette.Neutral), 7));
            var text = TextOf(prediction);
            var shown = TextMetrics.Shorten(text, Size, column - 14);
            marks.Add(new TextMark(x + 12, y - 3, shown, Size, Paint.Text, Bold: prediction.Right == false, Tooltip: shown == text ? "" : text));
        }
        return y;
    }

    private static string TextOf(ImagePrediction prediction) => $"{prediction.Model} {prediction.Class}" + prediction.Right switch { true => " ✓", false => " ✗", null => "" };

    private static double Lines(List<Mark> marks, string text, double size, Paint paint, double y, double page, bool bold)
    {
        foreach (var line in TextMetrics.Wrap(text, size, page - 2 * Frame.Margin, 6, bold))
        {
            y += Math.Round(size * 1.35);
            marks.Add(new TextMark(Frame.Margin, y - size * 0.25, line, size, paint, Bold: bold));
        }
        return y;
    }
}
