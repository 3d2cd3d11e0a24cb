using System.Globalization;

namespace TorchQuant.Benchmarks.Races;

/// <summary>How long tasks have waited for a processor on this machine, from Linux's pressure stall information: the time during which other programs disturbed a sample.</summary>
internal static class ProcessorPressure
{
    private const string Source = "/proc/pressure/cpu";

    private static readonly bool s_exists = File.Exists(Source);

    /// <summary>Microseconds since the machine started; 0 where the system does not say.</summary>
    public static long StalledMicroseconds()
    {
        if (!s_exists)
            return 0;
        string line = File.ReadLines(Source).First();
        return long.Parse(line.AsSpan(line.IndexOf("total=", StringComparison.Ordinal) + "total=".Length), CultureInfo.InvariantCulture);
    }
}
