using TorchSharp.Modules;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Fusion;

/// <summary>The module of a <see cref="BlockSpec"/>, on [batch, 3, height, width], in float64.</summary>
internal sealed class WiredBlock : MTT
{
    private const int Channels = 3;

    private readonly Wiring _wiring;

#pragma warning disable IDE0044 // fusing exchanges them
    private MTT? conv, norm, act, norm2, conv2, dropout;
    private Sequential? body;
    private ModuleList<MTT>? parts;
    private MTT[]? held;
#pragma warning restore IDE0044

    public WiredBlock(BlockSpec spec) : base(nameof(WiredBlock))
    {
        _wiring = spec.Wiring;
        List<(string Name, MTT Module)> chain = [("conv", Conv())];
        if (spec.Norm) chain.Add(("norm", nn.BatchNorm2d(Channels, dtype: ScalarType.Float64)));
        if (spec.Activation != After.Nothing)
            chain.Add(("act", spec.Activation switch { After.ReLU => nn.ReLU(spec.InPlace), After.ReLU6 => nn.ReLU6(spec.InPlace), _ => nn.Hardswish(spec.InPlace) }));
        MTT? Named(string name) => chain.FirstOrDefault(c => c.Name == name).Module;
        if (_wiring == Wiring.Sequential) body = nn.Sequential(chain);
        else if (_wiring == Wiring.Nested) body = nn.Sequential([("stem", nn.Sequential(chain[..1])), .. chain[1..]]);
        else if (_wiring == Wiring.List) parts = nn.ModuleList([.. chain.Select(c => c.Module)]);
        else if (_wiring == Wiring.Array) held = [.. chain.Select(c => c.Module)];
        else (conv, norm, act) = (chain[0].Module, Named("norm"), Named("act"));
        if (_wiring == Wiring.Branches) norm2 = nn.BatchNorm2d(Channels, dtype: ScalarType.Float64);
        if (_wiring == Wiring.SharedActivation) conv2 = Conv();
        if (_wiring == Wiring.DropoutBetween) dropout = nn.Dropout();
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return Wired(input).MoveToOuterDisposeScope();
    }

    private Tensor Wired(Tensor input)
    {
        if (body is not null) return body.call(input);
        if (parts is not null) return parts.Aggregate(input, (x, part) => part.call(x));
        if (held is not null) return held.Aggregate(input, (x, part) => part.forward(x));
        if (_wiring == Wiring.Forwards)
        {
            var x = conv!.forward(input);
            if (norm is not null) x = norm.forward(x);
            return act is null ? x : act.forward(x);
        }

        var a = conv!.call(input);
        if (_wiring == Wiring.FunctionalBetween) a = a.relu();
        if (_wiring == Wiring.InPlaceBetween) a.clamp_(-1000, 1000); // changes nothing in these numbers, but might
        if (_wiring == Wiring.DropoutBetween) a = dropout!.call(a);
        if (_wiring == Wiring.ConvTwice) a = conv.call(a);
        var b = norm?.call(a) ?? a;
        if (_wiring == Wiring.Branches) b += norm2!.call(a);
        var y = act?.call(b) ?? b;
        return _wiring switch
        {
            Wiring.SkipFromConv => y + a,
            Wiring.SkipFromNorm => y + b,
            Wiring.ReadsShape => y * a.shape[1],
            Wiring.SharedActivation => act!.call(conv2!.call(y)),
            _ => y,
        };
    }

    private static Conv2d Conv() => nn.Conv2d(Channels, Channels, 3, padding: 1, dtype: ScalarType.Float64);
}
