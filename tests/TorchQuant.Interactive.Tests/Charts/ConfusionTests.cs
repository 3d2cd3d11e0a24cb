using TorchQuant.Interactive.Rendering;
using Xunit;

namespace TorchQuant.Interactive.Tests.Charts;

public class ConfusionTests
{
    private static readonly string[] Animals = ["cat", "dog", "hen"];
    private static readonly ConfusionMatrix Before = new("float", Animals, [[8, 2, 0], [0, 10, 0], [0, 0, 0]]);
    private static readonly ConfusionMatrix After = new("int8", Animals, [[6, 4, 0], [0, 10, 0], [0, 0, 0]]);

    [Fact]
    public void Predictions_are_counted_by_true_and_predicted_class()
    {
        var matrix = ConfusionMatrix.Count("float", Animals, [0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 2, 0]);
        Assert.Equal([1, 1, 0], matrix.Counts[0]);
        Assert.Equal([0, 1, 0], matrix.Counts[1]);
        Assert.Equal([1, 0, 2], matrix.Counts[2]);
        Assert.Equal((6L, 4.0 / 6, 0.5), (matrix.Total, matrix.Accuracy, matrix.Recall(0)));
    }

    [Fact]
    public void Shades_are_the_roots_of_the_shares_of_a_row()
    {
        var cells = Before.Draw().Marks.OfType<RectMark>().ToList();
        Assert.Equal(["cat, taken for cat: 8 (80.0\u00a0%)", "cat, taken for dog: 2 (20.0\u00a0%)", "dog, taken for dog: 10 (100.0\u00a0%)"], cells.Select(cell => cell.Tooltip));
        Assert.Equal([Math.Sqrt(0.8), Math.Sqrt(0.2), 1], cells.Select(cell => cell.Fill.Opacity));
        Assert.All(cells, cell => Assert.Equal(Palette.Float, cell.Fill.Color));
        Assert.All(After.Draw().Marks.OfType<RectMark>(), cell => Assert.Equal(Palette.Int8, cell.Fill.Color));
    }

    [Fact]
    public void Counts_stand_in_cells_that_have_room_and_the_accuracy_below()
    {
        var texts = Before.Draw().Marks.OfType<TextMark>().Select(text => text.Text).ToList();
        foreach (var text in new[] { "8", "2", "10", "80.0\u00a0%", "100.0\u00a0%", "90.00\u00a0% of 20 are right.", "cat", "dog", "hen", "true class", "predicted class" }) Assert.Contains(text, texts);
        var crowded = Samples.Confusion("t", 100).Draw().Marks.OfType<TextMark>().Select(text => text.Text);
        Assert.DoesNotContain("900", crowded);
    }

    [Fact]
    public void A_change_has_a_sign_and_the_colour_of_the_matrix_with_more()
    {
        var change = new ConfusionChange("change", Before, After);
        Assert.Equal((-2L, 2L, 0L), (change.Of(0, 0), change.Of(0, 1), change.Of(1, 1)));
        var marks = change.Draw().Marks;
        var cells = marks.OfType<RectMark>().Where(rect => rect.Tooltip.Length > 0).ToList();
        Assert.Equal([("cat, taken for cat: 8, then 6", Palette.Float), ("cat, taken for dog: 2, then 4", Palette.Int8)], cells.Select(cell => (cell.Tooltip, cell.Fill.Color)));
        foreach (var text in new[] { "−2", "+2", "−20.0", "− more with float", "+ more with int8" }) Assert.Contains(marks.OfType<TextMark>(), mark => mark.Text == text);
        // Two matrices of one colour still have two.
        var again = new ConfusionChange("change", After, After with { Title = "int8 again" }).Draw().Marks.OfType<RectMark>().Select(rect => rect.Fill.Color);
        Assert.Equal(2, again.Distinct().Count());
    }

    [Fact]
    public void The_comparison_of_two_matrices_is_both_and_their_change()
    {
        var gallery = Display.Compare(Before, After);
        Assert.Equal(["float", "int8", "What changed"], gallery.Charts.Select(chart => chart.Title));
        Assert.IsType<ConfusionChange>(gallery.Charts[2]);
    }

    [Fact]
    public void A_matrix_without_predictions_says_so()
    {
        var empty = new ConfusionMatrix("t", ["a"], [[0]]);
        Assert.Contains("No predictions.", empty.ToText(), StringComparison.Ordinal);
        Assert.Contains("No predictions.", empty.ToSvg(), StringComparison.Ordinal);
        Assert.Contains("No predictions to compare.", new ConfusionChange("t", empty, empty).ToText(), StringComparison.Ordinal);
        Assert.True(double.IsNaN(empty.Accuracy));
    }

    [Fact]
    public void Matrices_that_do_not_fit_are_named()
    {
        Assert.Contains("'t' has 2 classes and 1 rows", Assert.Throws<ArgumentException>(() => new ConfusionMatrix("t", ["a", "b"], [[1, 2]])).Message, StringComparison.Ordinal);
        Assert.Contains("row 1 has 1 counts", Assert.Throws<ArgumentException>(() => new ConfusionMatrix("t", ["a", "b"], [[1, 2], [3]])).Message, StringComparison.Ordinal);
        Assert.Contains("negative count in row 0", Assert.Throws<ArgumentException>(() => new ConfusionMatrix("t", ["a"], [[-1]])).Message, StringComparison.Ordinal);
        Assert.Contains("no classes", Assert.Throws<ArgumentException>(() => new ConfusionMatrix("t", [], [])).Message, StringComparison.Ordinal);
        Assert.Contains("2 labels and 1 predictions", Assert.Throws<ArgumentException>(() => ConfusionMatrix.Count("t", Animals, [0, 1], [0])).Message, StringComparison.Ordinal);
        Assert.Contains("label 1 is 3, but there are classes 0 to 2", Assert.Throws<ArgumentException>(() => ConfusionMatrix.Count("t", Animals, [0, 3], [0, 0])).Message, StringComparison.Ordinal);
        Assert.Contains("prediction 0 is -1", Assert.Throws<ArgumentException>(() => ConfusionMatrix.Count("t", Animals, [0], [-1])).Message, StringComparison.Ordinal);
        Assert.Contains("same classes", Assert.Throws<ArgumentException>(() => new ConfusionChange("t", Before, Samples.Confusion("x"))).Message, StringComparison.Ordinal);
    }
}
