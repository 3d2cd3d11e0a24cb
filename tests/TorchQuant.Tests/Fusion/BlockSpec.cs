namespace TorchQuant.Tests.Fusion;

/// <summary>How the modules of a block are held, called, and what else is done with the tensors between them.</summary>
public enum Wiring
{
    Sequential, Nested, List, Array, Calls, Forwards, ReadsShape, SkipFromConv, SkipFromNorm, FunctionalBetween, InPlaceBetween, DropoutBetween, ConvTwice, Branches, SharedActivation,
}

/// <summary>One block of a random net: a convolution, perhaps a batch norm, perhaps an activation.</summary>
public sealed record BlockSpec(Wiring Wiring, bool Norm, After Activation, bool InPlace)
{
    private bool HasActivation => Activation != After.Nothing;

    /// <summary>The same with what its wiring needs.</summary>
    public BlockSpec Complete() => Wiring switch
    {
        Wiring.Branches => this with { Norm = true },
        Wiring.SharedActivation => this with { Activation = HasActivation ? Activation : After.ReLU },
        Wiring.SkipFromNorm => this with { Norm = true },
        _ => this,
    };

    /// <summary>What must be fused, by the names within the block.</summary>
    public string[][] Fused()
    {
        string[][] all = Chain.Length > 1 ? [Chain] : [];
        string[][] withoutConv = Norm && Activation == After.ReLU ? [["norm", "act"]] : [];
        string[][] withoutActivation = Norm ? [["conv", "norm"]] : [];
        var overwrites = InPlace && HasActivation; // what is read afterwards is the result itself
        return Wiring switch
        {
            Wiring.SkipFromConv => Norm ? withoutConv : overwrites ? all : [],
            Wiring.SkipFromNorm => HasActivation && !InPlace ? withoutActivation : all,
            Wiring.FunctionalBetween or Wiring.InPlaceBetween or Wiring.DropoutBetween or Wiring.ConvTwice => withoutConv,
            Wiring.Branches => [],
            Wiring.SharedActivation => withoutActivation,
            _ => all,
        };
    }

    /// <summary>What must be listed as found and not fused.</summary>
    public string[][] NotFused() => Wiring switch
    {
        Wiring.FunctionalBetween or Wiring.DropoutBetween => [],
        Wiring.Branches => [["conv", "norm"], ["conv", "norm2"]],
        Wiring.SharedActivation => [Chain, ["conv2", "act"]],
        _ => Chain.Length > 1 && !Fused().Any(f => f.SequenceEqual(Chain)) ? [Chain] : [],
    };

    /// <summary>The names as dotted paths.</summary>
    public string Path(string name) => Wiring switch
    {
        Wiring.Sequential => $"body.{name}",
        Wiring.Nested => name == "conv" ? "body.stem.conv" : $"body.{name}",
        Wiring.List => $"parts.{System.Array.IndexOf(Chain, name)}",
        Wiring.Array => $"held.{System.Array.IndexOf(Chain, name)}",
        _ => name,
    };

    private string[] Chain => [.. new[] { "conv", Norm ? "norm" : "", HasActivation ? "act" : "" }.Where(n => n.Length > 0)];
}
