using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Static;

/// <summary>Memory, threads and lent state of the statically quantized modules with weights.</summary>
[Collection(nameof(Alone))]
public class WeightedLifetimeTests
{
    private const int Forwards = 10_000;

    // One page leaked by each forward would be 40 MiB; tensors are counted besides.
    private const long ProcessBytes = 20L << 20;

    private static readonly ConvolutionCase Plain = new(1, false, 1, 1, 3, 4, [6, 6], [3, 3], [1, 1], [0, 0], [1, 1], [0, 0], WeightScheme.PerChannelAffine, true, false);

    private static readonly Dictionary<string, Func<(StaticQuantizedModule Module, Tensor Input)>> Modules = new()
    {
        ["Linear"] = () =>
        {
            var layer = new LayerCase(3, [5, 12], [9, 12], 9, WeightScheme.PerChannelAffine, true, false);
            return (layer.Module(nameof(QuantizedLinear), ("activation", "relu")), layer.Input());
        },
        ["Conv1d"] = () => Of(Plain with { Size = [9], Kernel = [3], Stride = [2], Padding = [1], Dilation = [1], OutputPadding = [0], PaddingMode = "reflect" }),
        ["Conv2d"] = () => Of(Plain),
        ["Conv2d, NCHW"] = () => Of(Plain) is var (module, input) ? (module, input.contiguous()) : default,
        ["Conv2d, no batch"] = () => Of(Plain) is var (module, input) ? (module, input[0]) : default,
        ["depthwise"] = () => Of(Plain with { Groups = 16, GroupInputs = 1, GroupOutputs = 1 }),
        ["Conv3d"] = () => Of(Plain with { Size = [3, 4, 4], Kernel = [2, 3, 1], Stride = [1, 1, 1], Padding = [0, 0, 0], Dilation = [1, 1, 1], OutputPadding = [0, 0, 0] }),
        ["ConvTranspose2d"] = () => Of(Plain with { Transposed = true, Stride = [2, 2] }),
    };

    public static TheoryData<string> Kinds => [.. Modules.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Ten_thousand_forwards_leave_tensors_and_process_flat(string kind)
    {
        var (module, input) = Modules[kind]();
        for (var i = 0; i < 200; i++)
            module.call(input).Dispose();
        var (tensors, memory) = (Tensor.TotalCount, Environment.WorkingSet);
        for (var i = 0; i < Forwards; i++)
            module.call(input).Dispose();
        Assert.InRange(Tensor.TotalCount - tensors, long.MinValue, 10); // fewer: what earlier tests left is finalized meanwhile
        Assert.InRange(Environment.WorkingSet - memory, long.MinValue, ProcessBytes);
        module.Dispose();
        input.Dispose();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Forwards_on_eight_threads_equal_the_serial_one_bit_for_bit(string kind)
    {
        using var scope = NewDisposeScope();
        var (module, input) = Modules[kind]();
        var expected = Codes(module.call(input));
        var wrong = 0;
        var threads = Enumerable.Range(0, 8).Select(_ => new Thread(() =>
        {
            for (var i = 0; i < 100; i++)
            {
                using var inner = NewDisposeScope();
                if (!Codes(module.call(input)).AsSpan().SequenceEqual(expected))
                    Interlocked.Increment(ref wrong);
            }
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        Assert.Equal(0, wrong);
        module.Dispose();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_module_outlives_the_scope_that_it_was_made_in_and_its_output_belongs_to_the_caller_s(string kind)
    {
        StaticQuantizedModule module;
        Tensor input;
        using (NewDisposeScope())
        {
            (module, input) = Modules[kind]();
            input = input.MoveToOuterDisposeScope();
        }
        Tensor output;
        using (NewDisposeScope())
            output = module.call(input);
        Assert.True(output.IsInvalid);
        using var again = module.call(input);
        Assert.False(again.IsInvalid);
        module.Dispose();
        input.Dispose();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_is_written_into_the_lent_state_is_computed_with(string kind)
    {
        using var scope = NewDisposeScope();
        var (module, input) = Modules[kind]();
        var before = module.call(input);
        var state = module.state_dict();
        Assert.Equal(["bias", "scale", "weight", "weight_scale", "weight_zero_point", "zero_point"], state.Keys.Order());
        Assert.Equal(module.WeightBytes, state.Values.Sum(t => t.numel() * t.element_size()));
        state["bias"].zero_();
        state["weight"].zero_();
        state["weight_zero_point"].zero_();
        state["zero_point"].fill_(7);
        var zeros = module.call(input);
        Assert.All(Codes(zeros), code => Assert.Equal(7, code));
        Assert.Equal(7, (int)zeros.q_zero_point());
        Assert.DoesNotContain("weight_zero_point", module.state_dict().Keys);
        Assert.Equal(before.shape, zeros.shape);
        module.Dispose();
    }

    private static byte[] Codes(Tensor quantized) => quantized.int_repr().contiguous().data<byte>().ToArray();

    private static (StaticQuantizedModule, Tensor) Of(ConvolutionCase sample)
    {
        var layer = sample.Layer(false);
        return (sample.Module(layer), layer.Input());
    }
}
