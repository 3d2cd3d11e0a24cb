using TorchQuant.Kernels;
using TorchQuant.Tests.Elementwise;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Elementwise;

/// <summary>What many forwards leave behind, and what a module survives.</summary>
[Collection(nameof(Alone))]
public class ElementwiseLifetimeTests
{
    private const int Forwards = 10_000;

    // One page leaked by each forward would be 40 MiB; tensors are counted besides.
    private const long ProcessBytes = 20L << 20;

    /// <summary>One of each class of int8 module.</summary>
    public static TheoryData<string> Names =>
        ["Hardswish", "ReLU6", "PReLU", "PReLU 6", "Softmax 1", "BatchNorm2d", "LayerNorm", "GroupNorm", "InstanceNorm2d", "InstanceNorm2d unbatched", "Upsample trilinear", "AdaptiveMaxPool2d"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Ten_thousand_forwards_leave_tensors_and_process_flat(string name)
    {
        var c = ElementwiseCase.Of(name);
        using var module = ElementwiseCase.Convert(c.Float(), new QParams(0.1f, 30));
        // With the channels last and first in turns where there are channels; at two input qparams.
        Tensor[] inputs = [c.Input(1, new QParams(0.05f, 100)), c.Input(2, new QParams(0.02f, 7))];
        for (var i = 0; i < 200; i++)
            module.call(inputs[i % 2]).Dispose();
        var (tensors, memory) = (Tensor.TotalCount, Environment.WorkingSet);
        for (var i = 0; i < Forwards; i++)
            module.call(inputs[i % 2]).Dispose();
        Assert.InRange(Tensor.TotalCount - tensors, long.MinValue, 10); // fewer: what earlier tests left is finalized meanwhile
        Assert.InRange(Environment.WorkingSet - memory, long.MinValue, ProcessBytes);
        foreach (var input in inputs)
            input.Dispose();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_module_outlives_the_scope_it_was_made_in_and_the_float_module(string name)
    {
        var c = ElementwiseCase.Of(name);
        nn.Module<Tensor, Tensor> module;
        byte[] expected;
        using (NewDisposeScope())
        {
            var original = c.Float();
            module = ElementwiseCase.Convert(original, new QParams(0.1f, 30));
            expected = ElementwiseOracle.Codes(module.call(c.Input(1, new QParams(0.05f, 100))));
            original.Dispose();
        }
        using var scope = NewDisposeScope();
        Assert.Equal(expected, ElementwiseOracle.Codes(module.call(c.Input(1, new QParams(0.05f, 100)))));
        module.Dispose();
    }
}
