namespace TorchQuant.Benchmarks.Races;

/// <summary>For whom a contender runs: only int8 peers count for the ratio, floats are the baseline that int8 has to repay.</summary>
internal enum Side
{
    Ours,
    Int8Peer,
    FloatPeer,
}
