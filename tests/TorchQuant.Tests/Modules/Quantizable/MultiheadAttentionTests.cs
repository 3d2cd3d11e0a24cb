using System.Diagnostics;
using FsCheck.Xunit;
using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Quantizable;

[Collection(nameof(Alone))]
public class MultiheadAttentionTests
{
    private static readonly QConfig FullRangePerChannel = new(MinMaxObserver.with_args(), quantization.default_per_channel_qconfig.weight);

    private static readonly AttentionCase Everything = new(3, 12, 4, true, true, true, 5, 3, 4, 2, Masking.Infinite, true);

    [Property(Arbitrary = [typeof(AttentionCases)], MaxTest = 100)]
    public void The_quantizable_module_computes_what_the_float_module_computes(AttentionCase any)
    {
        using var scope = NewDisposeScope();
        // TorchSharp's own takes no mask for every head.
        var inputs = any.Masking == Masking.EveryHead ? any with { Masking = Masking.None } : any;
        using var module = inputs.Module();
        using var quantizable = QuantizableMultiheadAttention.from_float(module);
        var (q, k, v) = inputs.Inputs();
        var (output, weights) = module.call(q, k, v, inputs.Padding(), attn_mask: inputs.Mask());
        var (output2, weights2) = quantizable.call(q, k, v, inputs.Padding(), attn_mask: inputs.Mask());
        Assert.Equal(output.shape, output2.shape);
        Assert.Equal(weights.shape, weights2.shape);
        // Sums of at most 16 products below 4 twice, with roundings of 2^-24.
        Assert.InRange((output - output2).abs().max().item<float>(), 0, 5e-6f);
        Assert.InRange((weights - weights2).abs().max().item<float>(), 0, 5e-6f);
    }

    [Fact]
    public void A_mask_for_every_head_masks_each_head()
    {
        using var scope = NewDisposeScope();
        var inputs = Everything with { Heads = 2, Masking = Masking.EveryHead, AddBiasKv = false, AddZeroAttn = false, Padded = false };
        using var quantizable = QuantizableMultiheadAttention.from_float(inputs.Module());
        var (q, k, v) = inputs.Inputs();
        var mask = full(inputs.Batch * 2, 3, 4, double.NegativeInfinity);
        mask[.., .., 0] = 0;
        var (_, weights) = quantizable.call(q, k, v, attn_mask: mask);
        Assert.Equal(ones(inputs.Batch, 3), weights[.., .., 0]);
        mask[TensorIndex.Slice(0, null, 2), .., 0] = double.NegativeInfinity; // the first head of every sample looks at the second key
        mask[TensorIndex.Slice(0, null, 2), .., 1] = 0;
        (_, weights) = quantizable.call(q, k, v, attn_mask: mask);
        Assert.Equal(full(inputs.Batch, 3, 2, 0.5f), weights[.., .., ..2]);
    }

    [Property(Arbitrary = [typeof(AttentionCases)], MaxTest = 60)]
    public void Its_codes_are_the_formula_on_dequantized_numbers(AttentionCase inputs)
    {
        using var scope = NewDisposeScope();
        using var prepared = Prepared(inputs, FullRangePerChannel);
        using var int8 = quantization.convert(prepared);
        var module = Assert.IsType<QuantizedMultiheadAttention>(int8.Attention);
        var (q, k, v) = int8.Inner(inputs);
        var (output, weights) = module.call(q, k, v, inputs.Padding(), attn_mask: inputs.Mask());
        var (expected, expectedWeights) = PlainAttention.Of(module.ExportState().ToDictionary(), inputs, q.dequantize(), k.dequantize(), v.dequantize());
        Assert.Equal(expected, output.dequantize());
        Assert.Equal(expectedWeights, weights.dequantize());
    }

    [Property(Arbitrary = [typeof(AttentionCases)], MaxTest = 40)]
    public void Its_codes_are_those_of_its_parts_one_by_one(AttentionCase inputs)
    {
        using var scope = NewDisposeScope();
        using var prepared = Prepared(inputs, quantization.default_qconfig);
        var mapping = new CustomModuleMapping().Add<MultiheadAttention, QuantizableMultiheadAttention>((module, _, path) => QuantizableMultiheadAttention.from_float(module, path));
        using var ofParts = quantization.convert(prepared, custom_mapping: mapping);
        using var int8 = quantization.convert(prepared);
        Assert.IsType<QuantizableMultiheadAttention>(ofParts.Attention);
        var (expected, expectedWeights) = ofParts.call(inputs);
        var (output, weights) = int8.call(inputs);
        Assert.Equal(expected, output);
        Assert.Equal(expectedWeights, weights);
    }

    [Property(Arbitrary = [typeof(AttentionCases)], MaxTest = 40)]
    public void It_is_close_to_the_float_module(AttentionCase any)
    {
        using var scope = NewDisposeScope();
        var inputs = any.Masking == Masking.EveryHead ? any with { Masking = Masking.Added } : any;
        // A learned key or value beyond the range of the others is clipped to it, in PyTorch too.
        inputs = inputs with { AddBiasKv = false };
        using var module = inputs.Module();
        using var prepared = Prepared(inputs, FullRangePerChannel);
        using var int8 = quantization.convert(prepared);
        var (q, k, v) = inputs.Inputs();
        var (output, weights) = module.call(q, k, v, inputs.Padding(), attn_mask: inputs.Mask());
        var (output8, weights8) = int8.call(inputs);
        // Half a 255th of ranges up to 8 for each of query, key, value, heads and output; measured at most 0.06, and 0.04 of the weights, in 800 cases.
        Assert.InRange((output - output8).abs().max().item<float>(), 0, 0.1f);
        Assert.InRange((weights - weights8).abs().max().item<float>(), 0, 0.05f);
    }

    [Fact]
    public void The_learned_value_has_the_range_of_its_own_numbers()
    {
        using var scope = NewDisposeScope();
        var inputs = Everything with { Padded = false, Masking = Masking.None, AddZeroAttn = false };
        using var module = inputs.Module();
        using (no_grad())
        {
            module.get_parameter("bias_k")!.mul_(1e-3);
            module.get_parameter("bias_v")!.fill_(0.9);
        }

        using var holder = new AttentionHolder(module);
        using var prepared = quantization.prepare(holder, FullRangePerChannel);
        prepared.call(inputs);
        using var int8 = quantization.convert(prepared);
        var (q, k, v) = inputs.Inputs();
        // With the range of bias_k, of 255 codes for 0.0015, the value 0.9 would be clipped to 0.
        Assert.InRange((module.call(q, k, v).Item1 - int8.call(inputs).Item1).abs().max().item<float>(), 0, 0.05f);
    }

    [Fact]
    public void Without_need_weights_the_second_tensor_has_no_handle()
    {
        using var scope = NewDisposeScope();
        using var prepared = Prepared(Everything, FullRangePerChannel);
        using var int8 = quantization.convert(prepared);
        foreach (var model in new[] { prepared, int8 })
        {
            var (q, k, v) = model.Inner(Everything);
            var (alone, none) = model.Attention.call(q, k, v, null, false, null);
            var (output, _) = model.Attention.call(q, k, v);
            Assert.True(none.IsInvalid);
            Assert.Equal(output.is_quantized() ? output.dequantize() : output, alone.is_quantized() ? alone.dequantize() : alone);
        }
    }

    [Fact]
    public void In_training_it_drops_as_the_float_module_does()
    {
        using var scope = NewDisposeScope();
        var inputs = Everything with { Masking = Masking.None, Padded = false, Queries = 40 };
        using var module = inputs.Module();
        module.train();
        using var quantizable = QuantizableMultiheadAttention.from_float(module);
        Assert.True(quantizable.training);
        var (q, k, v) = inputs.Inputs();
        manual_seed(4);
        var (output, _) = module.call(q, k, v);
        manual_seed(4);
        var (output2, weights) = quantizable.call(q, k, v);
        Assert.InRange((output - output2).abs().max().item<float>(), 0, 5e-6f);
        quantizable.eval();
        Assert.NotEqual(weights, quantizable.call(q, k, v).Item2);
    }

    [Fact]
    public void Saving_loading_copying_and_load_state_dict_give_the_same_bits()
    {
        using var scope = NewDisposeScope();
        using var prepared = Prepared(Everything, FullRangePerChannel);
        using var int8 = quantization.convert(prepared);
        using var prepared2 = Prepared(Everything with { Seed = 77 }, FullRangePerChannel);
        using var other = quantization.convert(prepared2);
        var expected = int8.call(Everything).Item1;
        Assert.NotEqual(expected, other.call(Everything).Item1);

        using var copy = ModuleTree.Copy(int8);
        Assert.Equal(expected, copy.call(Everything).Item1);
        other.load_state_dict(int8.state_dict());
        Assert.Equal(expected, other.call(Everything).Item1);
        using var file = new MemoryStream();
        quantization.save(int8, file);
        file.Position = 0;
        using var loaded = quantization.load(new AttentionHolder((Everything with { Seed = 5 }).Module()), file);
        Assert.IsType<QuantizedMultiheadAttention>(loaded.Attention);
        Assert.Equal(expected, loaded.call(Everything).Item1);
        foreach (var wrong in new[] { Everything with { KeySize = 6 }, Everything with { Bias = false }, Everything with { AddBiasKv = false }, Everything with { Embedding = 8 } })
        {
            file.Position = 0;
            using var model = new AttentionHolder(wrong.Module());
            Assert.Contains("attention.", Assert.Throws<QuantizedFileException>(() => quantization.load(model, file)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_state_has_the_names_and_the_bytes_that_it_says()
    {
        using var scope = NewDisposeScope();
        using var prepared = Prepared(Everything, FullRangePerChannel);
        using var int8 = quantization.convert(prepared);
        var module = (QuantizedMultiheadAttention)int8.Attention;
        var state = module.ExportState();
        Assert.Superset(
            new HashSet<string> { "linear_Q.weight", "linear_K.scale", "linear_V.bias", "out_proj.weight_scale", "quant_attn_output.zero_point", "quant_attn_output_weights.scale", "bias_k", "bias_v" },
            state.Select(entry => entry.Key).ToHashSet());
        Assert.Equal(state.Sum(entry => entry.Value.numel() * entry.Value.element_size()), module.WeightBytes);
        Assert.Equal("QuantizedMultiheadAttention(embed_dim=12, num_heads=4, add_bias_kv=True, add_zero_attn=True, kdim=5, vdim=5)", module.ToString());
        Assert.Equal("attention", module.Path);
        Assert.Superset(new HashSet<string> { "linear_Q", "linear_K", "linear_V", "out_proj", "q_scaling_product", "quant_attn_output", "quant_attn_output_weights", "dequant_q", "dequant_k", "dequant_v" },
            prepared.Attention.named_children().Select(child => child.name).ToHashSet());
    }

    [Fact]
    public void What_it_cannot_run_is_refused_and_named()
    {
        using var scope = NewDisposeScope();
        using var prepared = Prepared(Everything, FullRangePerChannel);
        using var int8 = quantization.convert(prepared);
        var (q, k, v) = int8.Inner(Everything);
        void Refused(string message, Action run) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(run).Message, StringComparison.Ordinal);

        Refused("attention (QuantizedMultiheadAttention) takes a quantized tensor, found Float32: a QuantStub is missing before it", () => int8.Attention.call(q.dequantize(), k, v));
        Refused("(Parameter 'value')", () => int8.Attention.call(q, k, v.dequantize()));
        Refused("attention (QuantizedMultiheadAttention): query is (2, 12); expected three dimensions, (queries, batch, 12). Add the batch dimension with unsqueeze(1).", () => int8.Attention.call(q[0], k, v));
        Refused("key is (3, 2, 12); expected three dimensions, (keys, batch, 5)", () => int8.Attention.call(q, q, v));
        Refused("query, key and value are", () => int8.Attention.call(q, k, v[..2]));
        Refused("attn_mask is (4, 3); expected (queries, keys) = (3, 4), or (batch * heads, queries, keys) = (8, 3, 4)", () => int8.Attention.call(q, k, v, attn_mask: zeros(4, 3)));
        Refused("attn_mask is Bool; expected floating point numbers that are added, -infinity where a query must not look. TorchSharp's own module adds a boolean mask as 0 and 1",
            () => int8.Attention.call(q, k, v, attn_mask: zeros(3, 4, dtype: ScalarType.Bool)));
        Refused("key_padding_mask is (4, 2); expected (batch, keys) = (2, 4)", () => int8.Attention.call(q, k, v, zeros(4, 2)));
        Refused("key_padding_mask is Float32; expected Bool", () => int8.Attention.call(q, k, v, zeros(2, 4)));
        using var module = nn.MultiheadAttention(4, 2);
        using (no_grad())
            module.get_parameter("in_proj_weight")!.zero_();
        Refused("encoder.attention cannot be quantized: the number of heads", () => QuantizableMultiheadAttention.from_float(module, "encoder.attention"));
    }

    [Fact]
    public void Thousands_of_calls_do_not_grow_the_process()
    {
        using var scope = NewDisposeScope();
        using var prepared = Prepared(Everything with { Embedding = 64, Keys = 50 }, FullRangePerChannel);
        using var int8 = quantization.convert(prepared);
        var inputs = Everything with { Embedding = 64, Keys = 50 };
        foreach (var (model, times) in new[] { (int8, 2000), (prepared, 300) })
        {
            void Run(int count)
            {
                using var none = no_grad();
                for (var i = 0; i < count; i++)
                {
                    using var inner = NewDisposeScope();
                    model.call(inputs);
                }
            }

            Run(20);
            var (tensors, memory) = (Tensor.TotalCount, Process.GetCurrentProcess().PrivateMemorySize64);
            Run(times);
            Assert.InRange(Tensor.TotalCount - tensors, -1000, 8);
            Assert.InRange(Process.GetCurrentProcess().PrivateMemorySize64 - memory, long.MinValue, 64 << 20);
        }
    }

    private static AttentionHolder Prepared(AttentionCase inputs, QConfig qconfig)
    {
        using var model = new AttentionHolder(inputs.Module());
        model.qconfig = qconfig;
        var prepared = quantization.prepare(model);
        var (output, weights) = prepared.call(inputs);
        output.Dispose();
        weights.Dispose();
        return prepared;
    }
}
