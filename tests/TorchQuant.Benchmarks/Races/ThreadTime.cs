using System.Runtime.InteropServices;

namespace TorchQuant.Benchmarks.Races;

/// <summary>How long the calling thread has been running on a processor: less than the time that has passed if others held the core.</summary>
internal static partial class ThreadTime
{
    /// <summary>CLOCK_THREAD_CPUTIME_ID of Linux.</summary>
    private const int ThreadClock = 3;

    /// <summary>Seconds; null where the system does not say.</summary>
    public static double? Seconds => OperatingSystem.IsLinux() && ClockGetTime(ThreadClock, out TimeSpec time) == 0 ? time.Seconds + 1e-9 * time.Nanoseconds : null;

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec time);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
