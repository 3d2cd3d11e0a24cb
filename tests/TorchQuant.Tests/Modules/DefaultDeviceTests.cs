using TorchQuant.Modules;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules;

/// <summary>torch's default device belongs to the process, hence <see cref="Alone"/>. The device meta stands for any that is not the CPU.</summary>
[Collection(nameof(Alone))]
public class DefaultDeviceTests
{
    private static readonly Dictionary<string, Func<(nn.Module, Func<Tensor>)>> Modules = new()
    {
        ["Linear int8"] = () => Linear(quantization.get_default_dynamic_qconfig()),
        ["Linear float16"] = () => Linear(quantization.float16_dynamic_qconfig),
        ["Embedding"] = () =>
        {
            var (module, x) = (QuantizedEmbedding.from_float(nn.Embedding(5, 4), quantization.float_qparams_weight_only_qconfig), tensor([1L, 4]));
            return (module, () => module.call(x));
        },
        ["EmbeddingBag 8 bits"] = () => Bag(quantization.float_qparams_weight_only_qconfig),
        ["EmbeddingBag 4 bits"] = () => Bag(quantization.float_qparams_weight_only_qconfig_4bit),
        ["LSTM"] = () =>
        {
            var (module, x) = (DynamicQuantizedLSTM.from_float(nn.LSTM(4, 3), quantization.get_default_dynamic_qconfig()), rand(2, 1, 4));
            return (module, () => module.call(x).Item1);
        },
    };

    public static TheoryData<string> Kinds => [.. Modules.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Modules_compute_and_give_their_state_on_the_cpu_whatever_the_default_device(string kind)
    {
        var (module, run) = Modules[kind]();
        using var expected = run();
        set_default_device(META);
        try
        {
            Assert.All(module.state_dict(), entry => Assert.Equal(DeviceType.CPU, entry.Value.device_type));
            using var found = run();
            Assert.Equal(expected.data<float>().ToArray(), found.data<float>().ToArray());
        }
        finally
        {
            set_default_device(CPU);
        }
        module.Dispose();
    }

    private static (nn.Module, Func<Tensor>) Linear(QConfig qconfig)
    {
        var (module, x) = (DynamicQuantizedLinear.from_float(nn.Linear(4, 3), qconfig), rand(2, 4));
        return (module, () => module.call(x));
    }

    private static (nn.Module, Func<Tensor>) Bag(QConfig qconfig)
    {
        var (module, x) = (QuantizedEmbeddingBag.from_float(nn.EmbeddingBag(5, 4), qconfig), tensor([1L, 4]).reshape(1, 2));
        return (module, () => module.call(x));
    }
}
