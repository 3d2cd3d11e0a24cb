using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests;

public class ChannelsLastTests
{
    /// <summary>Small sizes with many ones, whose strides say nothing.</summary>
    private static readonly Arbitrary<long[]> s_shapes = Gen.Choose(1, 5).SelectMany(dimensions => Gen.Choose(0, 3).Select(size => (long)Math.Max(1, size)).ArrayOf(dimensions)).ToArbitrary();

    private static readonly long[][] s_orders = [[0], [0, 1], [0, 2, 1], [0, 3, 1, 2], [0, 4, 1, 2, 3]];

    [Property(MaxTest = 500)]
    public Property A_tensor_lies_so_exactly_if_its_view_with_the_channels_last_is_contiguous() => Prop.ForAll(s_shapes, Gen.Choose(0, 3).ToArbitrary(), (shape, form) =>
    {
        if (shape.Length < 2)
            return;
        using var memory = zeros([.. shape.Select(size => 2 * size)]);
        var half = memory;
        for (var d = 0; d < shape.Length; d++)
            half = half.narrow(d, 0, shape[d]);
        // In order, permuted from channels last, the same with gaps, and transposed.
        using var tensor = form switch
        {
            0 => zeros(shape),
            1 => zeros(shape).permute(s_orders[shape.Length - 1]),
            2 => half.permute(s_orders[shape.Length - 1]),
            _ => zeros(shape).transpose(0, -1),
        };
        using var view = ChannelsLast.ViewOf(tensor);
        Assert.Equal(view.is_contiguous(), ChannelsLast.LiesSo(tensor));
    });

    [Fact]
    public void Memory_is_read_as_it_lies()
    {
        using var x = arange(2 * 3 * 4, dtype: ScalarType.Float32).reshape(2, 3, 4);
        using var turned = x.permute(0, 2, 1);
        Assert.Equal(Enumerable.Range(0, 24).Select(i => (float)i), turned.Memory<float>().ToArray());
        using var part = x.narrow(0, 1, 1);
        Assert.Equal(Enumerable.Range(12, 12).Select(i => (float)i), part.Memory<float>().ToArray());
        GC.KeepAlive(x);
    }
}
