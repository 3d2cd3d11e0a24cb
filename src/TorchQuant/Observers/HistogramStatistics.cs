namespace TorchQuant;

/// <summary>A histogram as the searches for a clipped range see it: masses of equally wide bins from Min to Max.</summary>
/// <param name="Mass">The mass of each bin.</param>
/// <param name="Min">The lower edge of the first bin.</param>
/// <param name="Max">The upper edge of the last bin, greater than <paramref name="Min"/>.</param>
internal sealed record HistogramStatistics(float[] Mass, float Min, float Max)
{
    /// <summary>The width of a bin, in float32 as PyTorch's observer computes it.</summary>
    public float BinWidth => (Max - Min) / Mass.Length;

    /// <summary>The range of the bins from one to another, both included.</summary>
    public (float Min, float Max) Range(int first, int last) => (Min + (BinWidth * first), Min + (BinWidth * (last + 1)));

    /// <summary>The squared error of quantizing everything to <paramref name="levels"/> steps that fill the bins from one to another: with a density even within each
    /// bin, the sum over bins of density * integral of (x - centre of the step that x falls into)^2, values outside falling into the first or the last step.</summary>
    /// <remarks>As HistogramObserver._compute_quantization_error of PyTorch: of the steps that a bin touches, the first, those between and the last are integrated
    /// apart; a bin within one step counts -1 steps between, which leaves just its part.</remarks>
    public double SquaredError(int first, int last, double levels)
    {
        double width = ((double)Max - Min) / Mass.Length;
        var step = width * (last - first + 1) / levels;
        if (step == 0)
            return 0;
        var half = step / 2;
        var between = Cubed(-half, half);
        double error = 0;
        for (var i = 0; i < Mass.Length; i++)
        {
            if (Mass[i] == 0)
                continue;
            var begin = (i - first) * width;
            var end = begin + width;
            var beginStep = Math.Clamp(Math.Floor(begin / step), 0, levels - 1);
            var endStep = Math.Clamp(Math.Floor(end / step), 0, levels - 1);
            error += Mass[i] / width
                * (Cubed(begin - ((beginStep + 0.5) * step), half) + ((endStep - beginStep - 1) * between) + Cubed(-half, end - ((endStep + 0.5) * step)));
        }
        return error;
    }

    /// <summary>The integral of x^2.</summary>
    private static double Cubed(double from, double to) => ((to * to * to) - (from * from * from)) / 3;
}
