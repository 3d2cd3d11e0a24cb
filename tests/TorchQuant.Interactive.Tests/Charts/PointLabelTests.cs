using FsCheck.Xunit;
using TorchQuant.Interactive.Rendering;
using Xunit;

namespace TorchQuant.Interactive.Tests.Charts;

public class PointLabelTests
{
    [Property(MaxTest = 200)]
    public void Labels_cover_neither_points_nor_each_other_nor_the_lines_to_them((byte X, byte Y)[] points, bool crowded)
    {
        var shown = points.Take(14).ToList();
        var names = shown.Select((_, i) => $"int8 variant {i}").ToList();
        // In a crowd all points lie within a twentieth of the axes, which one far point sets.
        double scale = crowded ? 0.05 : 1;
        var series = new PointSeries("a", [.. shown.Select(p => p.X * scale), 255], [.. shown.Select(p => p.Y * scale), 255]) { Labels = [.. names, "far"] };
        var marks = Chart.Points("t", [series], "x", "y").Draw().Marks;
        var labels = marks.OfType<TextMark>().Where(text => names.Contains(text.Text) || text.Text == "far").ToList();
        var dots = marks.OfType<DotsMark>().SelectMany(mark => mark.Points.Select(p => new Box(p.X - 2.5, p.Y - 2.5, p.X + 2.5, p.Y + 2.5))).ToList();
        var leads = marks.OfType<PathMark>().Where(path => path.Stroke == Paint.Muted).ToList();
        for (var i = 0; i < labels.Count; i++)
        {
            Assert.DoesNotContain(dots, dot => dot.Overlaps(labels[i].Bounds));
            for (var k = i + 1; k < labels.Count; k++) Assert.False(labels[i].Bounds.Overlaps(labels[k].Bounds), $"'{labels[i].Text}' overlaps '{labels[k].Text}'");
            foreach (var lead in leads)
                for (var step = 0.0; step <= 1; step += 0.05)
                {
                    var (x, y) = (lead.Points[0].X + (lead.Points[1].X - lead.Points[0].X) * step, lead.Points[0].Y + (lead.Points[1].Y - lead.Points[0].Y) * step);
                    Assert.False(new Box(x, y, x + 0.01, y + 0.01).Overlaps(labels[i].Bounds), $"a line crosses '{labels[i].Text}'");
                }
        }
        // What has no place is said below.
        var note = string.Concat(marks.OfType<TextMark>().Where(text => text.Size == 11.5).Select(text => text.Text + " "));
        Assert.All(names.Where(name => !labels.Exists(label => label.Text == name)), _ => Assert.Contains("No room for the labels", note, StringComparison.Ordinal));
    }

    // Replay: (16404511802863720727,12839264493285636625,9).
    [Fact]
    public void A_long_line_keeps_clear_of_the_corner_of_a_label() => Labels_cover_neither_points_nor_each_other_nor_the_lines_to_them([(0, 154), (92, 25)], crowded: true);

    [Fact]
    public void Six_labels_of_a_crowd_find_their_places()
    {
        var y = Enumerable.Range(0, 6).Select(i => 91.4 + 0.03 * i).ToArray();
        var series = new PointSeries("int8", [2.41, 2.41, 2.41, 2.41, 2.41, 2.41, 8.9], [.. y, 60]) { Labels = ["one", "two", "three", "four", "five", "six", "far"] };
        var marks = Chart.Points("t", [series]).Draw().Marks;
        foreach (var label in series.Labels) Assert.Single(marks.OfType<TextMark>(), text => text.Text == label);
        // From top to bottom as the points are, so that no line crosses another.
        var places = new[] { "six", "five", "four", "three", "two", "one" }.Select(label => marks.OfType<TextMark>().Single(text => text.Text == label).Y).ToList();
        Assert.Equal(places.Order(), places);
    }

    [Fact]
    public void A_lonely_point_has_its_label_beside_it_without_a_line()
    {
        var marks = Chart.Points("t", [new PointSeries("a", [1.0, 2], [1.0, 2]) { Labels = ["left", "right"] }]).Draw().Marks;
        var dots = Assert.Single(marks.OfType<DotsMark>()).Points;
        foreach (var (label, dot) in new[] { "left", "right" }.Zip(dots))
        {
            var text = marks.OfType<TextMark>().Single(mark => mark.Text == label);
            Assert.InRange(Math.Abs(text.X - dot.X), 0, 10);
            Assert.InRange(Math.Abs(text.Y - 4 - dot.Y), 0, 14);
        }
        Assert.DoesNotContain(marks.OfType<PathMark>(), path => path.Stroke == Paint.Muted);
    }
}
