using TorchQuant.Modules;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules;

public class DynamicQuantizedLinearTests
{
    private static DynamicQuantizedLinear Make(int inFeatures, int outFeatures, QConfig? qconfig = null, bool bias = true, string path = "")
    {
        using var linear = nn.Linear(inFeatures, outFeatures, bias);
        return DynamicQuantizedLinear.from_float(linear, qconfig ?? quantization.get_default_dynamic_qconfig(), path);
    }

    [Fact]
    public void It_prints_as_PyTorch_prints_it()
    {
        using var perTensor = Make(3, 2, quantization.default_dynamic_qconfig);
        using var perChannel = Make(3, 2);
        using var half = Make(3, 2, quantization.float16_dynamic_qconfig);
        Assert.Equal("DynamicQuantizedLinear(in_features=3, out_features=2, dtype=qint8, qscheme=per_tensor_affine)", perTensor.ToString());
        Assert.Equal("DynamicQuantizedLinear(in_features=3, out_features=2, dtype=qint8, qscheme=per_channel_affine)", perChannel.ToString());
        Assert.Equal("DynamicQuantizedLinear(in_features=3, out_features=2, dtype=float16)", half.ToString());
    }

    [Fact]
    public void Any_leading_dimensions_are_rows_and_strides_do_not_matter()
    {
        using var scope = NewDisposeScope();
        using var module = Make(6, 4);
        var x = randn(2, 3, 5, 6);
        var flat = module.call(x.reshape(30, 6));
        Assert.Equal([2L, 3L, 5L, 4L], module.call(x).shape);
        Assert.True(flat.reshape(2, 3, 5, 4).Equals(module.call(x)));
        var strided = x.transpose(0, 2).contiguous().transpose(0, 2);
        Assert.False(strided.is_contiguous());
        Assert.True(module.call(x).Equals(module.call(strided)));
        Assert.Equal([4L], module.call(x[0, 0, 0]).shape);
        Assert.Equal([0L, 3L, 4L], module.call(zeros(0, 3, 6)).shape);
    }

    [Fact]
    public void Float16_weights_compute_in_float32()
    {
        using var scope = NewDisposeScope();
        using var linear = nn.Linear(40, 30);
        using var module = DynamicQuantizedLinear.from_float(linear, quantization.float16_dynamic_qconfig);
        var x = randn(9, 40);
        var expected = nn.functional.linear(x, linear.weight.to(ScalarType.Float16).to(ScalarType.Float32), linear.bias);
        Assert.True((expected - module.call(x)).abs().max().item<float>() < 1e-5f);
        Assert.Equal((40 * 30 * 2) + (30 * 4), module.WeightBytes);
    }

    [Fact]
    public void Wrong_inputs_are_refused_with_the_modules_name()
    {
        using var scope = NewDisposeScope();
        using var module = Make(6, 4, path: "head.fc");
        Assert.Contains("head.fc (DynamicQuantizedLinear) takes inputs of the shape [..., 6], found [2, 5]", Refused(randn(2, 5)), StringComparison.Ordinal);
        Assert.Contains("found Float64", Refused(randn(2, 6, dtype: ScalarType.Float64)), StringComparison.Ordinal);
        Assert.Contains("found []", Refused(tensor(1f)), StringComparison.Ordinal);
        var nan = randn(2, 6);
        nan[1, 3] = float.NaN;
        Assert.Contains("head.fc (DynamicQuantizedLinear): ", Refused(nan), StringComparison.Ordinal);
        nan[1, 3] = float.PositiveInfinity;
        Assert.Contains("head.fc (DynamicQuantizedLinear): ", Refused(nan), StringComparison.Ordinal);

        string Refused(Tensor x) => Assert.Throws<ArgumentException>(() => { module.call(x); }).Message;
    }

    [Theory]
    [InlineData("native")]
    [InlineData("fbgemm")]
    [InlineData("float16")]
    public void What_is_rebuilt_from_its_state_computes_the_same_bits(string kind)
    {
        using var scope = NewDisposeScope();
        using var module = Make(37, 21, kind == "float16" ? quantization.float16_dynamic_qconfig : quantization.get_default_dynamic_qconfig(kind), bias: kind != "fbgemm");
        var state = module.ExportState();
        Assert.Equal(module.WeightBytes, state.Sum(entry => entry.Value.numel() * entry.Value.element_size()));
        using var again = QuantizedModules.Create(module.Kind, module.Options, state.ToDictionary(), "x") as DynamicQuantizedLinear;
        var x = randn(5, 37);
        Assert.True(module.call(x).Equals(again!.call(x)));
        Assert.Equal(module.ToString(), again.ToString());
        Assert.Equal("x", again.Path);
        foreach (var (_, tensor) in state)
            tensor.Dispose();
    }

    [Fact]
    public void A_damaged_state_is_refused_with_the_tensors_name()
    {
        using var scope = NewDisposeScope();
        using var module = Make(6, 4);
        var good = module.ExportState().ToDictionary();
        Assert.Contains("fc.weight_scale is missing; the state has bias, weight, weight_zero_point", Refused(state => state.Remove("weight_scale")), StringComparison.Ordinal);
        Assert.Contains("fc.weight is Float32 [4, 6]; expected Int8 or Float16", Refused(state => state["weight"] = randn(4, 6)), StringComparison.Ordinal);
        Assert.Contains("fc.weight is Int8 [24]", Refused(state => state["weight"] = state["weight"].reshape(24)), StringComparison.Ordinal);
        Assert.Contains("fc.weight_scale is Float32 [3]; expected Float32 [1] or [4]", Refused(state => state["weight_scale"] = ones(3)), StringComparison.Ordinal);
        Assert.Contains("fc.weight: ", Refused(state => state["weight_scale"] = tensor([float.NaN])), StringComparison.Ordinal);
        Assert.Contains("fc.bias is Float32 [1]", Refused(state => state["bias"] = ones(1)), StringComparison.Ordinal);
        Assert.Contains("'Conv9'", Assert.Throws<ArgumentException>(() => { QuantizedModules.Create("Conv9", module.Options, good, "fc"); }).Message, StringComparison.Ordinal);
        var options = Assert.Throws<ArgumentException>(() => { QuantizedModules.Create(module.Kind, new Dictionary<string, string>(), good, "fc"); });
        Assert.Contains("fc: the option reduce_range is missing", options.Message, StringComparison.Ordinal);

        string Refused(Action<Dictionary<string, Tensor>> damage)
        {
            var state = new Dictionary<string, Tensor>(good);
            damage(state);
            return Assert.Throws<ArgumentException>(() => { QuantizedModules.Create(module.Kind, module.Options, state, "fc"); }).Message;
        }
    }

    [Fact]
    public void Other_types_and_devices_are_refused_with_the_mend_and_float32_on_the_CPU_is_what_it_is()
    {
        using var model = nn.Sequential(("fc", Make(6, 4, path: "fc")));
        Assert.Contains("fc (DynamicQuantizedLinear) cannot be converted to Float16", Assert.Throws<InvalidOperationException>(() => { model.half(); }).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => { model.to(ScalarType.Float64); });
        using var module = Make(6, 4, path: "fc");
        Assert.Contains("cannot be moved to CUDA", Assert.Throws<InvalidOperationException>(() => { module.cuda(); }).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => { module.to(CPU, ScalarType.Float16); });
        model.to(ScalarType.Float32).cpu().train();
        using var x = randn(2, 6);
        model.call(x).Dispose();
    }

    [Fact]
    public void Codes_are_clamped_to_the_observers_range()
    {
        using var scope = NewDisposeScope();
        using var linear = nn.Linear(2, 1);
        using (no_grad())
            linear.weight.copy_(tensor(new float[,] { { -1, 0.4f } }));
        // The scale is 1 / ((20 + 10) / 2): -1 is code -15, beyond the range.
        var qconfig = new QConfig(quantization.default_dynamic_qconfig.activation, MinMaxObserver.with_args(qdtype.qint8, qscheme.per_tensor_symmetric, quant_min: -10, quant_max: 20));
        using var module = DynamicQuantizedLinear.from_float(linear, qconfig);
        Assert.Equal([-10, 6], module.state_dict()["weight"].data<sbyte>().ToArray());
    }

    [Fact]
    public void Affine_weights_with_zero_points_compute_what_they_stand_for()
    {
        using var scope = NewDisposeScope();
        using var linear = nn.Linear(20, 12);
        using (no_grad())
            linear.weight.add_(0.1f);
        var qconfig = new QConfig(quantization.get_default_dynamic_qconfig().activation, PerChannelMinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_channel_affine));
        using var module = DynamicQuantizedLinear.from_float(linear, qconfig);
        var state = module.state_dict();
        Assert.Equal([12L], state["weight_zero_point"].shape);
        var x = randn(5, 20);
        var expected = linear.call(x);
        Assert.True((expected - module.call(x)).abs().max().item<float>() < 0.03f * expected.abs().max().item<float>());
    }
}
