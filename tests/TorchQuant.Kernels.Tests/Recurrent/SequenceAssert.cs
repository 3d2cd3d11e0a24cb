using Xunit;

namespace TorchQuant.Kernels.Tests;

/// <summary>Compares what a recurrent layer gave.</summary>
internal static class SequenceAssert
{
    public static void Equal(double[][] expected, float[] found, double tolerance)
    {
        double[] flat = [.. expected.SelectMany(row => row)];
        Assert.Equal(flat.Length, found.Length);
        for (int i = 0; i < flat.Length; i++)
            Assert.True(Math.Abs(flat[i] - found[i]) <= tolerance, $"element {i} is {found[i]}, expected {flat[i]} within {tolerance}");
    }

    /// <summary>The final state of every sequence is that of the last step that was run for it.</summary>
    public static void IsLastOf(float[] y, SequenceCase sequence, float[] h)
    {
        int width = sequence.Hidden;
        for (int b = 0; b < sequence.Batch; b++)
            Assert.Equal(y[(sequence.LastRow(b) * width)..((sequence.LastRow(b) + 1) * width)], h[(b * width)..((b + 1) * width)]);
    }
}
