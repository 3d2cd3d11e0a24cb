using System.Globalization;

namespace TorchQuant.Benchmarks.Races;

/// <summary>How well a result agrees with the reference, in words.</summary>
internal readonly record struct Agreement(string Text)
{
    public override string ToString() => Text;

    /// <summary>Codes against the reference's: integers of which none may be further away than <paramref name="allowed"/>.</summary>
    public static Agreement OfCodes(string name, ReadOnlySpan<byte> expected, ReadOnlySpan<byte> found, int allowed)
    {
        int different = 0, largest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            int difference = Math.Abs(expected[i] - found[i]);
            if (difference > allowed)
                throw new WrongResultException($"{name}: output {i} of those compared is {found[i]}; expected {expected[i]}{(allowed == 0 ? "" : $" give or take {allowed}")}.");
            different += difference == 0 ? 0 : 1;
            largest = Math.Max(largest, difference);
        }

        return Of(expected.Length, different, largest);
    }

    /// <summary>Real numbers against the reference's, none further away than <paramref name="allowed"/>; what is within a hundredth of that counts as equal.</summary>
    public static Agreement OfFloats(string name, ReadOnlySpan<double> expected, ReadOnlySpan<float> found, double allowed)
    {
        int different = 0;
        double largest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs(expected[i] - found[i]);
            if (!(difference <= allowed))
                throw new WrongResultException(string.Create(CultureInfo.InvariantCulture, $"{name}: output {i} of those compared is {found[i]}; expected {expected[i]} give or take {allowed}."));
            different += difference <= allowed / 100 ? 0 : 1;
            largest = Math.Max(largest, difference);
        }

        return Of(expected.Length, different, largest);
    }

    private static Agreement Of(int compared, int different, double largest) =>
        new(different == 0 ? "equal" : string.Create(CultureInfo.InvariantCulture, $"{100.0 * different / compared:0.###} % differ, by {largest:g2} at most"));
}
