using System.Runtime.CompilerServices;

namespace TorchQuant.Benchmarks.Limits;

/// <summary>
/// How long a line of the cache takes from one core to another: what threads that divide small work pay for each line they exchange. Where a machine is shared, the system below may move a virtual core to
/// other caches within minutes, and this changes several-fold.
/// </summary>
internal static class CoreLatency
{
    private const int Exchanges = 2000, Rounds = 5;

    /// <summary>Seconds for one way at this moment: the least of a few measurements of some thousand exchanges between two threads.</summary>
    public static double SecondsNow() => Enumerable.Range(0, Rounds).Min(static _ => Exchange());

    private static double Exchange()
    {
        // The middle of three lines has no neighbour in use.
        int[] lines = new int[3 * 32];
        return ThreadTeam.Time(2, me => TakeTurns(ref lines[32], me)) / (2 * Exchanges);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TakeTurns(ref int turn, int me)
    {
        for (int i = 0; i < Exchanges; i++)
        {
            while (Volatile.Read(ref turn) != 2 * i + me)
            {
                // No pause: it may be longer than what is measured.
            }

            Volatile.Write(ref turn, 2 * i + me + 1);
        }
    }
}
