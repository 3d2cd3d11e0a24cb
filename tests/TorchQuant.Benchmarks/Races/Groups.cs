using TorchQuant.Benchmarks.Convolution;
using TorchQuant.Benchmarks.Elementwise;
using TorchQuant.Benchmarks.LinearLayers;
using TorchQuant.Benchmarks.Models;
using TorchQuant.Benchmarks.Pictures;
using TorchQuant.Benchmarks.Recurrent;

namespace TorchQuant.Benchmarks.Races;

/// <summary>The groups of shapes that the command line names.</summary>
internal static class Groups
{
    private static readonly (string Name, Func<bool, IEnumerable<Match>> Matches)[] s_all =
    [
        ("linear", LinearMatches.All),
        ("conv", ConvMatches.All),
        ("lstm", RecurrentMatches.Lstm),
        ("gru", RecurrentMatches.Gru),
        ("elementwise", quick => ElementwiseMatches.All(quick).Concat(PictureMatches.All(quick))),
        ("models", quick => CnnMatches.All(quick).Concat(LanguageMatches.All(quick)).Concat(EncoderMatches.All(quick))),
    ];

    public static IEnumerable<string> Names => s_all.Select(group => group.Name);

    /// <summary>The matches of one group; with quick only a few small shapes.</summary>
    public static IEnumerable<Match> Matches(string name, bool quick) => s_all.Single(group => group.Name == name).Matches(quick);
}
