using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Static;

/// <summary>quant, fc1, relu, x + fc2, dequant: the sum is what <see cref="Join"/> says.</summary>
internal sealed class Residual : nn.Module<Tensor, Tensor>
{
    public readonly QuantStub quant = new();
    public readonly nn.Module<Tensor, Tensor> fc1 = nn.Linear(6, 6);
    public nn.Module<Tensor, Tensor> fc2 = nn.Linear(6, 6);
    public readonly FloatFunctional skip = new();
    public readonly DeQuantStub dequant = new();

    public Residual() : base(nameof(Residual)) => RegisterComponents();

    /// <summary>What forward does with the input and the output of the layers.</summary>
    public Func<Residual, Tensor, Tensor, Tensor> Join { get; set; } = static (net, x, y) => net.skip.add(x, y);

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = quant.call(input);
        return dequant.call(Join(this, x, fc2.call(fc1.call(x)))).MoveToOuterDisposeScope();
    }
}

/// <summary>A Linear whose output a batch norm takes at once, and one after a sum.</summary>
internal sealed class Normed : nn.Module<Tensor, Tensor>
{
    public readonly QuantStub quant = new();
    public readonly nn.Module<Tensor, Tensor> fc = nn.Linear(6, 4);
    public readonly nn.Module<Tensor, Tensor> norm = nn.BatchNorm1d(4);
    public readonly DeQuantStub dequant = new();

    public Normed() : base(nameof(Normed)) => RegisterComponents();

    public override Tensor forward(Tensor input) => dequant.call(norm.call(fc.call(quant.call(input))));
}

/// <summary>Two heads, of which forward uses one.</summary>
internal sealed class Heads : nn.Module<Tensor, Tensor>
{
    public readonly QuantStub quant = new();
    public readonly nn.Module<Tensor, Tensor> used = nn.Linear(6, 4);
    public readonly nn.Module<Tensor, Tensor> left = nn.Linear(6, 4);
    public readonly nn.Module<Tensor, Tensor> right = nn.Linear(6, 4);
    public readonly DeQuantStub dequant = new();

    public Heads() : base(nameof(Heads)) => RegisterComponents();

    public override Tensor forward(Tensor input) => dequant.call(used.call(quant.call(input)));
}

/// <summary>Fields that cannot hold an observed module.</summary>
internal sealed class Declared : nn.Module<Tensor, Tensor>
{
    private readonly QuantStub quant = new();
    private readonly Linear fc1 = nn.Linear(6, 6);
    private readonly Linear fc2 = nn.Linear(6, 4);
    private readonly DeQuantStub dequant = new();

    public Declared() : base(nameof(Declared)) => RegisterComponents();

    public override Tensor forward(Tensor input) => dequant.call(fc2.call(fc1.call(quant.call(input))));
}
