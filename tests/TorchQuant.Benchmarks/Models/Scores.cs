using System.Globalization;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Models;

/// <summary>Compares the outputs of whole models: the root of the mean square of the differences, as a part of the outputs' standard deviation.</summary>
internal static class Scores
{
    /// <summary>
    /// What int8 may be off from float, and float from float. Networks with random weights magnify errors more than trained ones do, and
    /// FBGEMM's depthwise convolution saturates; a wrong weight or layer makes it 1 and more.
    /// </summary>
    private const double Int8Tolerance = 0.5, FloatTolerance = 1e-3;

    public static Agreement Check(string name, Side side, ReadOnlySpan<float> expected, ReadOnlySpan<float> found)
    {
        double sum = 0, squares = 0, differences = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = (double)found[i] - expected[i];
            sum += expected[i];
            squares += (double)expected[i] * expected[i];
            differences += difference * difference;
        }

        double spread = Math.Sqrt(squares / expected.Length - Math.Pow(sum / expected.Length, 2));
        double part = Math.Sqrt(differences / expected.Length) / spread, allowed = side == Side.FloatPeer ? FloatTolerance : Int8Tolerance;
        if (!(part <= allowed))
            throw new WrongResultException(string.Create(CultureInfo.InvariantCulture, $"{name}: the outputs are off by {part:g3} of their standard deviation; expected at most {allowed}."));
        return new Agreement(string.Create(CultureInfo.InvariantCulture, $"off by {part:g2} of the standard deviation"));
    }
}
