using TorchSharp.Modules;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.ModuleTrees;

/// <summary>A replacement that can be told from what it replaced: it multiplies by two.</summary>
internal sealed class Doubling : MTT
{
    private readonly Parameter _weight = nn.Parameter(ones(1));

    public Doubling() : base(nameof(Doubling)) => RegisterComponents();

    public bool IsDisposed { get; private set; }

    public override Tensor forward(Tensor input) => input * 2 * _weight;

    protected override void Dispose(bool disposing)
    {
        IsDisposed |= disposing;
        base.Dispose(disposing);
    }
}

/// <summary>The identity: one call is a factor of one.</summary>
internal sealed class Same : MTT
{
    private readonly Parameter _weight = nn.Parameter(ones(1));

    public Same() : base(nameof(Same)) => RegisterComponents();

    public override Tensor forward(Tensor input) => input * _weight;
}

internal abstract class Chain : MTT
{
    protected Chain() : base("Chain")
    {
    }

    protected abstract IEnumerable<MTT> Parts();

    public override Tensor forward(Tensor input) => Parts().Aggregate(input.alias(), (x, part) => part.call(x));
}

internal class PrivateBase : Chain
{
    private readonly MTT _below = new Same();

    protected override IEnumerable<MTT> Parts() => [_below];
}

internal sealed class EveryField : PrivateBase
{
    private MTT _field = new Same();
    private readonly MTT _readonly = new Same();
    private readonly nn.IModule<Tensor, Tensor> _interface = new Same();
    private readonly object _object = new Same();

    public EveryField() => RegisterComponents();

    public MTT Auto { get; set; } = new Same();

    public MTT GetOnly { get; } = new Same();

    public void Swap() => _field = Auto;

    protected override IEnumerable<MTT> Parts() => [.. base.Parts(), _field, _readonly, (MTT)_interface, (MTT)_object, Auto, GetOnly];
}

internal sealed class PrimaryConstructor(MTT captured) : Chain
{
    protected override IEnumerable<MTT> Parts() => [captured];
}

internal sealed class Collections : Chain
{
    private readonly MTT[] _array = [new Same(), new Same()];
    private readonly List<MTT> _list = [new Same(), new Same()];
    private readonly Dictionary<string, MTT> _dictionary = new() { ["a"] = new Same(), ["b"] = new Same() };
    private readonly List<MTT[]> _nested = [[new Same()], [new Same()]];
    private readonly IReadOnlyList<MTT> _readOnly = new List<MTT> { new Same() }.AsReadOnly();

    protected override IEnumerable<MTT> Parts() => [.. _array, .. _list, .. _dictionary.Values, .. _nested.SelectMany(x => x), .. _readOnly];
}

internal sealed class TorchCollections : Chain
{
    private readonly ModuleList<MTT> _list = nn.ModuleList<MTT>(new Same(), new Same());
    private readonly ModuleDict<MTT> _dict = nn.ModuleDict<MTT>(("a", new Same()), ("b", new Same()));
    private readonly Sequential _sequential = nn.Sequential(("first", new Same()), ("second", nn.Sequential(new Same())));

    public TorchCollections() => RegisterComponents();

    protected override IEnumerable<MTT> Parts() => [.. _list, .. _dict.values(), _sequential];
}

internal sealed class Closures : Chain
{
    private readonly Func<Tensor, Tensor> _call;

    public Closures()
    {
        MTT captured = new Same();
        var list = new List<MTT> { new Same() };
        _call = x => list[0].call(captured.call(x));
    }

    protected override IEnumerable<MTT> Parts() => [];

    public override Tensor forward(Tensor input) => _call(input);
}

internal sealed class PlainObjects : Chain
{
    private readonly Holder _holder = new();

    protected override IEnumerable<MTT> Parts() => [_holder.Inner];

    private sealed class Holder
    {
        public MTT Inner { get; set; } = new Same();
    }
}

internal sealed class Shared : Chain
{
    private readonly MTT _one;
    private readonly MTT _two;
    private readonly MTT[] _three;

    public Shared()
    {
        _one = _two = new Same();
        _three = [_one];
        RegisterComponents();
    }

    public bool IsTied => ReferenceEquals(_one, _two) && ReferenceEquals(_one, _three[0]);

    protected override IEnumerable<MTT> Parts() => [_one, _two, .. _three];
}

/// <summary>Everything that cannot be exchanged, next to one thing that can.</summary>
internal sealed class Stubborn : MTT
{
    internal static readonly Same s_static = new();
    private readonly MTT _fine = new Same();
    private readonly Linear fc = nn.Linear(2, 2);
    private readonly Linear[] heads = [nn.Linear(2, 2)];
    private readonly ModuleList<Linear> layers = nn.ModuleList(nn.Linear(2, 2));
    private readonly (MTT, int) pair = (new Same(), 1);
    private readonly HashSet<MTT> set = [new Same()];
    private readonly LSTM lstm = nn.LSTM(2, 2);

    public Stubborn() : base(nameof(Stubborn)) => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        using var _ = NewDisposeScope();
        var x = layers[0].call(heads[0].call(fc.call(_fine.call(input))));
        foreach (var module in set) x = module.call(x);
        return s_static.call(pair.Item1.call(lstm.call(x.unsqueeze(0)).Item1.squeeze(0))).MoveToOuterDisposeScope();
    }
}
