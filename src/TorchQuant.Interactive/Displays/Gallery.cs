using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>Several charts side by side, as many in a row as the page is wide; the SVG has <see cref="Across"/> in a row.</summary>
[TypeFormatterSource(typeof(DrawingFormatterSource), PreferredMimeTypes = [MimeTypes.Html, MimeTypes.Svg, MimeTypes.Text])]
public sealed record Gallery : Visual, IDrawing
{
    private const double Gap = 16;

    /// <summary>Charts side by side. Give them a <see cref="Chart.Width"/> of 350 or so, to have two in a row.</summary>
    public Gallery(IReadOnlyList<Chart> charts) => Charts = [.. charts];

    /// <summary>The charts.</summary>
    public IReadOnlyList<Chart> Charts { get; }

    /// <summary>How many stand in a row of the SVG.</summary>
    public int Across
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A gallery has at least one chart in a row.");
    } = 2;

    /// <inheritdoc/>
    public override string ToHtml()
    {
        // A chart may shrink a little to stand beside another one, but not until its text is too small.
        var least = Markup.Number(Charts.Select(chart => chart.Width * 0.8).DefaultIfEmpty(0).Max());
        return $"<div style=\"display:grid;grid-template-columns:repeat(auto-fit,minmax(min({least}px,100%),1fr));gap:0 16px\">\n" + string.Join("\n", Charts.Select(chart => chart.ToHtml())) + "\n</div>";
    }

    /// <inheritdoc/>
    public override string ToText() => string.Join("\n\n", Charts.Select(chart => chart.ToText()));

    /// <summary>All charts in one SVG document.</summary>
    public string ToSvg() => SvgRenderer.Document(Draw());

    Scene IDrawing.Draw() => Draw();

    private Scene Draw()
    {
        var marks = new List<Mark>();
        double y = 0, width = 0;
        foreach (var row in Charts.Select(chart => chart.Draw()).Chunk(Across))
        {
            double x = 0;
            foreach (var scene in row)
            {
                marks.AddRange(scene.Marks.Select(mark => mark.Moved(x, y)));
                x += scene.Width + Gap;
            }
            width = Math.Max(width, x - Gap);
            y += row.Max(scene => scene.Height) + Gap;
        }
        return new Scene(string.Join("; ", Charts.Select(chart => chart.Title)), $"{Charts.Count} charts.", Math.Max(1, width), Math.Max(1, y - Gap), marks);
    }
}
