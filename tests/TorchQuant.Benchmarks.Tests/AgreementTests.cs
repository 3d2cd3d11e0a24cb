using TorchQuant.Benchmarks.Models;
using TorchQuant.Benchmarks.Races;
using Xunit;

namespace TorchQuant.Benchmarks.Tests;

public class AgreementTests
{
    [Fact]
    public void Codes_may_differ_by_as_much_as_is_allowed_and_no_more()
    {
        Assert.Equal("equal", Agreement.OfCodes("it", [1, 2, 3], [1, 2, 3], allowed: 0).Text);
        Assert.Equal("25 % differ, by 1 at most", Agreement.OfCodes("it", [1, 2, 3, 4], [1, 2, 4, 4], allowed: 1).Text);
        Assert.Throws<WrongResultException>(() => Agreement.OfCodes("it", [1, 2, 3], [1, 2, 5], allowed: 1));
    }

    [Fact]
    public void Floats_beyond_the_tolerance_and_not_a_number_are_refused()
    {
        Assert.Equal("equal", Agreement.OfFloats("it", [1, 2], [1, 2.00001f], allowed: 0.01).Text);
        Assert.Throws<WrongResultException>(() => Agreement.OfFloats("it", [1, 2], [1, 2.1f], allowed: 0.01));
        Assert.Throws<WrongResultException>(() => Agreement.OfFloats("it", [1], [float.NaN], allowed: 0.01));
    }

    [Fact]
    public void Scores_of_another_model_are_refused()
    {
        float[] scores = [.. Enumerable.Range(0, 100).Select(i => MathF.Sin(i))];
        Scores.Check("it", Side.Int8Peer, scores, [.. scores.Select(s => s + 0.1f)]);
        Assert.Throws<WrongResultException>(() => Scores.Check("it", Side.Int8Peer, scores, [.. scores.Reverse()]));
        Assert.Throws<WrongResultException>(() => Scores.Check("it", Side.FloatPeer, scores, [.. scores.Select(s => s + 0.1f)]));
    }
}
