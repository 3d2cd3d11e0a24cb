using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TorchQuant.Kernels;

/// <summary>
/// The units of a run, dealt out as one range for each participant. A claim is a compare-and-swap on a word that carries the number of the run: whoever comes late finds nothing to take and does no harm.
/// </summary>
internal sealed unsafe class UnitRanges
{
    private readonly Range* _ranges;

    /// <summary>Ranges that live as long as the process.</summary>
    /// <param name="most">The most participants.</param>
    public UnitRanges(int most)
    {
        nuint bytes = (nuint)(most * sizeof(Range));
        _ranges = (Range*)NativeMemory.AlignedAlloc(bytes, (nuint)sizeof(Range));
        Unsafe.InitBlockUnaligned(_ranges, 0, (uint)bytes);
    }

    /// <summary>Deals out the units of a run.</summary>
    public void Deal(int run, int units, int participants)
    {
        for (int p = 0; p < participants; p++)
        {
            // The range is closed before its end moves: else a worker late from the run before could take a unit past the old end, and be counted for this run.
            Interlocked.Exchange(ref _ranges[p].Next, Claim(run, int.MaxValue));
            _ranges[p].End = EvenSplit.Part(units, p + 1, participants);
            Volatile.Write(ref _ranges[p].Next, Claim(run, EvenSplit.Part(units, p, participants)));
        }
    }

    /// <summary>Takes the next unit of a participant's range.</summary>
    public bool TryTake(int participant, int run, out int unit)
    {
        Range* range = _ranges + participant;
        while (true)
        {
            long next = Volatile.Read(ref range->Next);
            unit = (int)next;
            if ((int)(next >> 32) != run || unit >= Volatile.Read(ref range->End))
                return false;
            if (Interlocked.CompareExchange(ref range->Next, next + 1, next) == next)
                return true;
        }
    }

    private static long Claim(int run, int unit) => ((long)run << 32) | (uint)unit;

    /// <summary>Two cache lines, because processors fetch them in pairs.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Range
    {
        /// <summary>The number of the run and the next unit of this range.</summary>
        [FieldOffset(0)]
        public long Next;

        [FieldOffset(8)]
        public int End;
    }
}
