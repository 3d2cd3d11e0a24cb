using FsCheck;
using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests.Threading;

public class EvenSplitTests
{
    [Property]
    public void Parts_cover_the_whole_and_differ_by_at_most_one(NonNegativeInt whole, PositiveInt parts)
    {
        int[] ends = [.. Enumerable.Range(0, parts.Get + 1).Select(part => EvenSplit.Part(whole.Get, part, parts.Get))];
        int[] sizes = [.. ends.Skip(1).Zip(ends, (end, begin) => end - begin)];
        Assert.Equal((0, whole.Get), (ends[0], ends[^1]));
        Assert.InRange(sizes.Max() - sizes.Min(), 0, 1);
    }

    [Fact]
    public void Groups_are_reversed_each_in_its_place() =>
        Assert.Equal([3, 2, 1, 0, 7, 6, 5, 4], Enumerable.Range(0, 8).Select(static part => EvenSplit.Reversed(part, 8, 4)));

    [Fact]
    public void What_is_not_whole_groups_keeps_its_order() =>
        Assert.Equal([0, 1, 2, 3, 4, 5], Enumerable.Range(0, 6).Select(static part => EvenSplit.Reversed(part, 6, 4)));
}
