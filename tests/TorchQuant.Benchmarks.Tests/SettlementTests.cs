using TorchQuant.Benchmarks.Races;
using Xunit;

namespace TorchQuant.Benchmarks.Tests;

public class SettlementTests
{
    [Theory]
    [InlineData(1.0, 1.04, 2.0, 2.08, true)]
    [InlineData(1.0, 1.34, 2.0, 2.08, false)]
    [InlineData(1.0, 1.04, 2.0, 2.6, false)]
    public void A_match_is_settled_when_ours_and_the_fastest_peer_are_near_their_best_samples(double best, double median, double peerBest, double peerMedian, bool isSettled) =>
        Assert.Equal(isSettled, Settlement.IsSettled([(Side.Ours, best, median), (Side.Int8Peer, peerBest, peerMedian), (Side.Int8Peer, 5, 5)]));

    [Fact]
    public void Contenders_that_cannot_decide_it_may_scatter() =>
        Assert.True(Settlement.IsSettled([(Side.Ours, 1, 1), (Side.Int8Peer, 2, 2), (Side.Int8Peer, 2.1, 4), (Side.FloatPeer, 1, 9)]));

    [Fact]
    public void A_slower_peer_that_was_once_as_fast_as_the_fastest_decides_with_it() =>
        Assert.False(Settlement.IsSettled([(Side.Ours, 1, 1), (Side.Int8Peer, 2, 2), (Side.Int8Peer, 1.9, 4)]));

    [Fact]
    public void Without_peers_ours_alone_decides()
    {
        Assert.True(Settlement.IsSettled([(Side.Ours, 1, 1.01)]));
        Assert.False(Settlement.IsSettled([(Side.Ours, 1, 1.2)]));
    }
}
