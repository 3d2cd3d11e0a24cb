using FsCheck.Xunit;
using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Fusion;

public class FindSequencesTests
{
    [Property(Arbitrary = [typeof(RandomNets)], MaxTest = 100)]
    public void Exactly_the_sequences_that_can_be_fused_are_fused_and_the_outputs_stay(RandomNet net)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var model = net.Model();
        using var expected = model.call(net.Input());
        using var fused = quantization.fuse_modules(model, net.Input(), out var report);
        Assert.Equal(net.Rows(b => b.Fused()), report.Fused.Select(f => string.Join(", ", f.Names)));
        Assert.Equal(net.Rows(b => b.NotFused()), report.NotFused.Select(f => string.Join(", ", f.Names)));
        using var actual = fused.call(net.Input());
        Assert.True((expected - actual).abs().le(1e-10 * (1 + expected.abs().max())).all().item<bool>(), $"{net}");
        var types = ModuleTree.Walk(fused).ToDictionary(m => m.Path, m => m.Module.GetType());
        foreach (var row in report.Fused)
        {
            Assert.Equal(row.FusedType, types[row.Names[0]]);
            Assert.All(row.Names.Skip(1), n => Assert.Equal(typeof(Identity), types[n]));
        }
    }

    [Property(Arbitrary = [typeof(RandomNets)], MaxTest = 25)]
    public void In_place_finds_the_same_as_in_a_copy(RandomNet net)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var model = net.Model();
        using var copy = quantization.fuse_modules(model, net.Input(), out var inCopy);
        Assert.Same(model, quantization.fuse_modules(model, net.Input(), out var inPlace, inplace: true));
        Assert.Equal(inCopy.ToString(), inPlace.ToString());
        Assert.True(copy.call(net.Input()).allclose(model.call(net.Input()), 1e-12, 1e-12));
    }

    [Fact]
    public void The_sequence_of_the_PyTorch_tutorial_is_found()
    {
        using var model = new Tutorial();
        model.eval();
        using var x = rand(1, 3, 8, 8);
        using var fused = quantization.fuse_modules(model, x, out var report);
        Assert.Equal(
            """
            modules                types                      fused into  not fused because
            ---------------------  -------------------------  ----------  -----------------
            conv, batchnorm, relu  Conv2d, BatchNorm2d, ReLU  ConvReLU2d

            """.ReplaceLineEndings(), report.ToString());
        Assert.IsType<ConvReLU2d>(fused.conv);
        Assert.IsType<Conv2d>(model.conv);
    }
}
