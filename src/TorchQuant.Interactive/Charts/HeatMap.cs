using TorchQuant.Interactive.Rendering;

namespace TorchQuant.Interactive;

/// <summary>Numbers in rows and columns as shades: the farther from zero, the stronger; <see cref="Palette.Positive"/> above zero, <see cref="Palette.Negative"/> below it. What is not finite is <see cref="Palette.Neutral"/>.</summary>
public sealed record HeatMap : Chart
{
    /// <summary>A heat map of <paramref name="values"/>, row by row.</summary>
    /// <exception cref="ArgumentException">There are not rows × columns numbers, or none.</exception>
    public HeatMap(string title, int rows, int columns, Values values) : base(title)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (rows < 1 || columns < 1 || values.Count != (long)rows * columns)
            throw new ArgumentException($"Heat map '{title}' has {rows} × {columns} cells and {values.Count} numbers; give one number per cell, row by row, and at least one cell.");
        (Rows, Columns, Values) = (rows, columns, values);
        Largest = values.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max();
    }

    /// <summary>How many rows there are.</summary>
    public int Rows { get; }

    /// <summary>How many columns there are.</summary>
    public int Columns { get; }

    /// <summary>The numbers, row by row.</summary>
    public Values Values { get; }

    /// <summary>What the rows are.</summary>
    public string RowLabel { get; init; } = "row";

    /// <summary>What the columns are.</summary>
    public string ColumnLabel { get; init; } = "column";

    /// <summary>The number at a place.</summary>
    public double this[int row, int column] => Values[row * Columns + column];

    /// <summary>The greatest magnitude: the strongest shade.</summary>
    internal double Largest { get; }

    /// <summary>
    /// A heat map of at most <paramref name="mostRows"/> × <paramref name="mostColumns"/> cells: where there are more numbers, each cell is the one of greatest magnitude of its block, so that outliers are seen, and the
    /// caption says so.
    /// </summary>
    /// <exception cref="ArgumentException">There are not rows × columns numbers, or none.</exception>
    public static HeatMap Of(string title, int rows, int columns, ReadOnlySpan<double> values, int mostRows = 32, int mostColumns = 64)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(mostRows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(mostColumns, 1);
        if (rows <= mostRows && columns <= mostColumns || values.Length != (long)rows * columns) return new HeatMap(title, rows, columns, Values.Create(values));
        var (high, wide) = ((rows + mostRows - 1) / mostRows, (columns + mostColumns - 1) / mostColumns);
        var (blockRows, blockColumns) = ((rows + high - 1) / high, (columns + wide - 1) / wide);
        var cells = new double[blockRows * blockColumns];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                ref var cell = ref cells[row / high * blockColumns + column / wide];
                var value = values[row * columns + column];
                // A number that is not finite is never hidden by those beside it.
                if (!double.IsFinite(value) || (double.IsFinite(cell) && Math.Abs(value) > Math.Abs(cell))) cell = value;
            }
        }
        return new HeatMap(title, blockRows, blockColumns, cells) { Caption = $"Each cell is the number of greatest magnitude of {high} × {wide} ({rows} × {columns} in all)." };
    }

    internal override Scene Draw() => HeatPlot.Draw(this);
}
