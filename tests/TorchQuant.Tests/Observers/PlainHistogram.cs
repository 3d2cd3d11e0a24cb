namespace TorchQuant.Tests.Observers;

/// <summary>The histogram of HistogramObserver, written plainly: no tensors, one value at a time.</summary>
internal sealed class PlainHistogram(int bins)
{
    public float Min { get; private set; } = float.PositiveInfinity;

    public float Max { get; private set; } = float.NegativeInfinity;

    public double[] Mass { get; private set; } = new double[bins];

    public void Add(float[] batch)
    {
        if (batch.Length == 0)
            return;
        float min = MathF.Min(Min, batch.Min()), max = MathF.Max(Max, batch.Max());
        if (Min <= Max && (min, max) != (Min, Max))
            Widen(min, max);
        (Min, Max) = (min, max);
        foreach (var value in batch)
            Mass[BinOf(value)]++;
    }

    private int BinOf(float value) => Min == Max ? bins / 2 : Math.Min((int)((value - Min) * bins / (Max - Min)), bins - 1);

    private void Widen(float min, float max)
    {
        var old = Mass;
        var (oldMin, oldMax) = (Min, Max);
        (Min, Max, Mass) = (min, max, new double[bins]);
        for (var part = 0; part < bins * 16; part++)
        {
            var middle = oldMin == oldMax ? oldMin : oldMin + (((double)oldMax - oldMin) * (part + 0.5) / (bins * 16));
            Mass[Math.Clamp((int)((middle - min) * bins / ((double)max - min)), 0, bins - 1)] += old[part / 16] / 16;
        }
    }
}
