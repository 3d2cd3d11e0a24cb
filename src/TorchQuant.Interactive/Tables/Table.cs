using System.Text;
using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>
/// A table as data. Numbers are set to the right, the rest to the left; the best number of a column that asks for it is emphasized (several when they are equal).
/// <code>new Table("Results", ["model", new Column("size", "MB", "N2", Best.Lowest)], [["float", 113.94], ["int8", 28.6]])</code>
/// </summary>
public sealed record Table : Visual
{
    /// <summary>A table of <paramref name="rows"/>; a cell may be anything, null is an empty cell.</summary>
    /// <exception cref="ArgumentException">A row has not one cell per column.</exception>
    public Table(string title, IReadOnlyList<Column> columns, IReadOnlyList<IReadOnlyList<object?>> rows)
    {
        for (var i = 0; i < rows.Count; i++)
            if (rows[i].Count != columns.Count)
                throw new ArgumentException($"Table '{title}' has {columns.Count} columns, but row {i} has {rows[i].Count} cells; give one cell per column (null for an empty one).");
        (Title, Columns, Rows) = (title, [.. columns], [.. rows.Select(row => (IReadOnlyList<object?>)[.. row])]);
    }

    /// <summary>Above the table; may be empty.</summary>
    public string Title { get; }

    /// <summary>The columns.</summary>
    public IReadOnlyList<Column> Columns { get; }

    /// <summary>The rows' cells.</summary>
    public IReadOnlyList<IReadOnlyList<object?>> Rows { get; }

    /// <summary>Small print below.</summary>
    public string Caption { get; init; } = "";

    /// <summary>True: the last row sums up the others and is set apart; it takes no part in <see cref="Column.Best"/>.</summary>
    public bool HasTotal { get; init; }

    /// <inheritdoc/>
    public override string ToHtml()
    {
        var html = new StringBuilder(HtmlPage.Paragraph("tq-title", Title)).Append("<div class=\"tq-wide\"><table>\n<thead><tr>");
        for (var i = 0; i < Columns.Count; i++)
        {
            html.Append("<th").Append(IsNumeric(i) ? " class=\"tq-end\">" : ">").Append(Markup.Encode(Columns[i].Name));
            if (Columns[i].Unit.Length > 0) html.Append(" <small>").Append(Markup.Encode(Columns[i].Unit)).Append("</small>");
            html.Append("</th>");
        }
        html.Append("</tr></thead>\n<tbody>\n");
        for (var row = 0; row < Rows.Count; row++)
        {
            html.Append(IsTotal(row) ? "<tr class=\"tq-total\">" : "<tr>");
            for (var i = 0; i < Columns.Count; i++)
            {
                var classes = (IsNumeric(i) ? "tq-end" : "") + (IsBest(row, i) ? " tq-best" : "");
                html.Append(classes.Length > 0 ? $"<td class=\"{classes.TrimStart()}\">" : "<td>").Append(HtmlOf(row, i)).Append("</td>");
            }
            html.Append("</tr>\n");
        }
        return HtmlPage.Block(html.Append("</tbody></table></div>\n").Append(HtmlPage.Paragraph("tq-note", Caption)).ToString().TrimEnd());
    }

    /// <inheritdoc/>
    public override string ToText()
    {
        var cells = Enumerable.Range(0, Rows.Count).Select(row => Columns.Select((column, i) => TextOf(row, i) + (IsBest(row, i) ? " *" : IsBestColumn(i) ? "  " : "")).ToArray()).ToList();
        var heads = Columns.Select((column, i) => (column.Unit.Length > 0 ? $"{column.Name} ({column.Unit})" : column.Name) + (IsBestColumn(i) ? "  " : "")).ToArray();
        var widths = heads.Select((head, i) => cells.Select(row => TextMetrics.Columns(row[i])).Append(TextMetrics.Columns(head)).Max()).ToArray();
        var text = new StringBuilder();
        if (Title.Length > 0) text.Append(Title).Append('\n');
        Line(heads);
        var rule = string.Join("  ", widths.Select(width => new string('─', width)));
        text.Append(rule).Append('\n');
        for (var row = 0; row < cells.Count; row++)
        {
            if (IsTotal(row)) text.Append(rule).Append('\n');
            Line(cells[row]);
        }
        if (Caption.Length > 0) text.Append(Caption).Append('\n');
        return text.ToString().TrimEnd('\n');

        void Line(string[] line)
        {
            var parts = line.Select((cell, i) =>
            {
                var pad = new string(' ', widths[i] - TextMetrics.Columns(cell));
                return IsNumeric(i) ? pad + cell : cell + pad;
            });
            text.Append(string.Join("  ", parts).TrimEnd()).Append('\n');
        }
    }

    private string TextOf(int row, int column) => Rows[row][column] is Cell cell ? cell.Text : Columns[column].TextOf(Rows[row][column]);

    private string HtmlOf(int row, int column) => Rows[row][column] is Cell cell ? cell.Html() : Cell.Breakable(TextOf(row, column));

    private bool IsTotal(int row) => HasTotal && row == Rows.Count - 1;

    private bool IsNumeric(int column) => Rows.Count > 0 && Rows.Any(row => Column.NumberOf(row[column]) is not null)
        && Rows.All(row => row[column] is null || Column.NumberOf(row[column]) is not null || row[column] is string { Length: <= 1 });

    private bool IsBestColumn(int column) => Columns[column].Best != Best.None;

    private bool IsBest(int row, int column)
    {
        if (!IsBestColumn(column) || IsTotal(row) || Column.NumberOf(Rows[row][column]) is not { } number || double.IsNaN(number)) return false;
        var others = Enumerable.Range(0, Rows.Count).Where(other => !IsTotal(other)).Select(other => Column.NumberOf(Rows[other][column]))
            .Where(other => other is { } value && !double.IsNaN(value)).Select(other => other!.Value).ToList();
        return others.Count > 1 && number == (Columns[column].Best == Best.Lowest ? others.Min() : others.Max());
    }
}
