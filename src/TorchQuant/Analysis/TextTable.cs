using System.Globalization;
using System.Text;

namespace TorchQuant.Analysis;

/// <summary>A table in plain text, for the ToString of results: columns padded to their widest cell, a rule below the head.</summary>
internal sealed class TextTable(params string[] head)
{
    private readonly List<string[]> _rows = [];
    private readonly HashSet<int> _right = [];

    public TextTable AlignRight(params int[] columns)
    {
        _right.UnionWith(columns);
        return this;
    }

    public TextTable Add(params object[] cells)
    {
        _rows.Add([.. cells.Select(c => Convert.ToString(c, CultureInfo.InvariantCulture) ?? "")]);
        return this;
    }

    public TextTable Add(IEnumerable<object[]> rows)
    {
        foreach (var row in rows) Add(row);
        return this;
    }

    /// <summary>Bytes / 10^6 with three decimals.</summary>
    public static string Megabytes(long bytes) => (bytes / 1e6).ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>A ratio with three decimals; empty where it is not a number.</summary>
    public static string Ratio(double ratio) => double.IsNaN(ratio) ? "" : ratio.ToString("0.000", CultureInfo.InvariantCulture);

    public override string ToString()
    {
        var widths = head.Select((h, i) => _rows.Select(r => r[i].Length).Append(h.Length).Max()).ToArray();
        var text = new StringBuilder();
        Line(head);
        text.AppendLine(string.Join("  ", widths.Select(w => new string('-', w))));
        foreach (var row in _rows) Line(row);
        return text.ToString();

        void Line(string[] cells)
            => text.AppendLine(string.Join("  ", cells.Select((c, i) => _right.Contains(i) ? c.PadLeft(widths[i]) : c.PadRight(widths[i]))).TrimEnd());
    }
}
