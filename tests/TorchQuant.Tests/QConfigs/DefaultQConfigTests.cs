using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.QConfigs;

/// <summary>The ready settings are PyTorch's.</summary>
public class DefaultQConfigTests
{
    private const string PerTensor = "MinMaxObserver(dtype=qint8, qscheme=per_tensor_symmetric, reduce_range=False, quant_min=-128, quant_max=127)";
    private const string PerChannel = "PerChannelMinMaxObserver(dtype=qint8, qscheme=per_channel_symmetric, reduce_range=False, quant_min=-128, quant_max=127, ch_axis=0)";
    private const string MinMax = "MinMaxObserver(dtype=quint8, qscheme=per_tensor_affine, reduce_range=False, quant_min=0, quant_max=127)";
    private const string Histogram = "HistogramObserver(dtype=quint8, qscheme=per_tensor_affine, reduce_range=False, quant_min=0, quant_max=255, bins=2048)";
    private const string ReducedHistogram = "HistogramObserver(dtype=quint8, qscheme=per_tensor_affine, reduce_range=True, quant_min=0, quant_max=127, bins=2048)";
    private const string SignedHistogram = "HistogramObserver(dtype=qint8, qscheme=per_tensor_affine, reduce_range=False, quant_min=-128, quant_max=127, bins=2048)";
    private const string NarrowPerTensor = "MinMaxObserver(dtype=qint8, qscheme=per_tensor_symmetric, reduce_range=False, quant_min=-127, quant_max=127)";
    private const string NarrowPerChannel = "PerChannelMinMaxObserver(dtype=qint8, qscheme=per_channel_symmetric, reduce_range=False, quant_min=-127, quant_max=127, ch_axis=0)";
    private const string Unsigned = "MinMaxObserver(dtype=quint8, qscheme=per_tensor_affine, reduce_range=False, quant_min=0, quant_max=255)";
    private const string Half = "PlaceholderObserver(dtype=float16, is_dynamic=False, reduce_range=False)";

    public static TheoryData<string, QConfig, string, string> Named => new()
    {
        { "default", quantization.default_qconfig, MinMax, PerTensor },
        { "per channel", quantization.default_per_channel_qconfig, MinMax, PerChannel },
        { "debug", quantization.default_debug_qconfig, "RecordingObserver(dtype=quint8)", PerTensor },
        { "float16", quantization.float16_static_qconfig, Half, Half },
        { "quint8 weight", quantization.default_quint8_weight_qconfig, Histogram, Unsigned },
        { "symmetric qnnpack", quantization.default_symmetric_qnnpack_qconfig, SignedHistogram, NarrowPerTensor },
        { "symmetric qnnpack per channel", quantization.default_per_channel_symmetric_qnnpack_qconfig, SignedHistogram, NarrowPerChannel },
        { "no backend named", quantization.get_default_qconfig(), Histogram, PerChannel },
        { "native", quantization.get_default_qconfig("native"), Histogram, PerChannel },
        { "fbgemm", quantization.get_default_qconfig("fbgemm"), ReducedHistogram, PerChannel },
        { "x86", quantization.get_default_qconfig("x86"), ReducedHistogram, PerChannel },
        { "onednn", quantization.get_default_qconfig("onednn"), Histogram, PerChannel },
        { "qnnpack", quantization.get_default_qconfig("qnnpack"), Histogram, PerTensor },
    };

    [Theory]
    [MemberData(nameof(Named), DisableDiscoveryEnumeration = true)]
    public void Every_static_qconfig_has_PyTorchs_observers(string name, QConfig qconfig, string activation, string weight)
    {
        Assert.Equal((name, activation, weight), (name, qconfig.activation.ToString(), qconfig.weight.ToString()));
        using var first = qconfig.activation.Create();
        using var second = qconfig.activation.Create();
        Assert.NotSame(first, second);
    }

    public static TheoryData<ObserverFactory, string> Observers => new()
    {
        { quantization.default_observer, MinMax },
        { quantization.default_histogram_observer, "HistogramObserver(dtype=quint8, qscheme=per_tensor_affine, reduce_range=False, quant_min=0, quant_max=127, bins=2048)" },
        { quantization.default_placeholder_observer, "PlaceholderObserver(dtype=float32, is_dynamic=False, reduce_range=False)" },
        { quantization.default_dynamic_quant_observer, "PlaceholderObserver(dtype=quint8, is_dynamic=True, reduce_range=False)" },
        { quantization.default_weight_observer, PerTensor },
        { quantization.default_per_channel_weight_observer, PerChannel },
        { quantization.weight_observer_range_neg_127_to_127, NarrowPerTensor },
        { quantization.per_channel_weight_observer_range_neg_127_to_127, NarrowPerChannel },
        {
            quantization.default_float_qparams_observer,
            "PerChannelMinMaxObserver(dtype=quint8, qscheme=per_channel_affine_float_qparams, reduce_range=False, quant_min=0, quant_max=255, ch_axis=0)"
        },
        {
            quantization.default_float_qparams_observer_4bit,
            "PerChannelMinMaxObserver(dtype=quint4x2, qscheme=per_channel_affine_float_qparams, reduce_range=False, quant_min=0, quant_max=15, ch_axis=0)"
        },
        { quantization.default_fixed_qparams_range_0to1_observer, "FixedQParamsObserver(dtype=quint8, scale=0.00390625, zero_point=0, quant_min=0, quant_max=255)" },
        { quantization.default_fixed_qparams_range_neg1to1_observer, "FixedQParamsObserver(dtype=quint8, scale=0.0078125, zero_point=128, quant_min=0, quant_max=255)" },
        { quantization.default_debug_observer, "RecordingObserver(dtype=quint8)" },
    };

    [Theory]
    [MemberData(nameof(Observers), DisableDiscoveryEnumeration = true)]
    public void Every_named_observer_is_PyTorchs(ObserverFactory factory, string expected) => Assert.Equal(expected, factory.ToString());

    [Fact]
    public void The_qnnpack_settings_have_its_smallest_scale()
    {
        foreach (var qconfig in new[] { quantization.default_symmetric_qnnpack_qconfig, quantization.default_per_channel_symmetric_qnnpack_qconfig })
            foreach (var factory in new[] { qconfig.activation, qconfig.weight })
            {
                using var observer = (UniformQuantizationObserverBase)factory.Create();
                using var nothing = zeros(2, 3);
                observer.call(nothing).Dispose();
                var (scale, zeroPoint) = observer.calculate_qparams();
                using (scale)
                using (zeroPoint)
                    Assert.Equal(1f / 4096, scale[0].item<float>());
            }
    }

    [Theory]
    [InlineData("fbgem")]
    [InlineData("")]
    [InlineData("FBGEMM")]
    public void An_unknown_backend_is_an_error_that_lists_the_known(string backend)
    {
        var message = Assert.Throws<ArgumentException>(() => quantization.get_default_qconfig(backend)).Message;
        Assert.Contains($"'{backend}' is no backend; there are native, fbgemm, x86, onednn, qnnpack.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_takes_a_static_qconfig_as_in_PyTorch()
    {
        using var model = nn.Linear(2, 2);
        model.qconfig = quantization.get_default_qconfig("fbgemm");
        Assert.Same(quantization.get_default_qconfig("x86"), model.qconfig);
    }
}
