using System.Runtime.CompilerServices;
using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules;

/// <summary>Against quantized::linear_dynamic of the libtorch that TorchSharp loads: Oracles/make_qlinear.py.</summary>
public class LinearOracleTests
{
    public static TheoryData<int, int, int> Sizes => new()
    {
        { 1, 1, 1 }, { 1, 4, 32 }, { 3, 7, 5 }, { 1, 256, 1000 }, { 17, 33, 65 }, { 25, 512, 96 }, { 64, 129, 31 },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Output_equals_libtorchs_linear_dynamic(int rows, int inFeatures, int outFeatures)
    {
        using var scope = NewDisposeScope();
        using var oracle = jit.load(OraclePath());
        using var random = new Generator((ulong)((rows * 1000) + inFeatures + outFeatures));
        foreach (var perChannel in new[] { false, true })
            foreach (var reduceRange in new[] { false, true })
                foreach (var (low, high) in new[] { (-2f, 3f), (0f, 4f), (-5f, -1f), (-1e-4f, 1e-4f) })
                {
                    // FBGEMM of CPUs without VNNI saturates with codes above 127, which reduce_range avoids: small weights keep the oracle exact everywhere.
                    var weight = randint(-64, 65, [outFeatures, inFeatures], dtype: ScalarType.Int8, generator: random);
                    var scale = perChannel ? rand(outFeatures, generator: random) * 0.02f + 0.001f : tensor([0.0173f]);
                    var bias = randn(outFeatures, generator: random);
                    var x = rand(rows, inFeatures, generator: random) * (high - low) + low;
                    using var module = (DynamicQuantizedLinear)QuantizedModules.Create(
                        nameof(DynamicQuantizedLinear), new Dictionary<string, string> { ["reduce_range"] = reduceRange ? "true" : "false" },
                        new Dictionary<string, Tensor> { ["weight"] = weight, ["weight_scale"] = scale, ["weight_zero_point"] = tensor([0]), ["bias"] = bias }, "fc");

                    oracle.invoke("pack_int", weight, scale.expand(outFeatures).contiguous(), bias);
                    var expected = (Tensor)oracle.invoke("dynamic", x, reduceRange);
                    var actual = module.call(x);

                    Assert.Equal(expected.shape, actual.shape);
                    var difference = (expected - actual).abs().max().item<float>();
                    // Relative to the terms: where product and bias cancel, their last bits are what remains.
                    Assert.True(difference <= 1e-6f * (expected.abs().max().item<float>() + bias.abs().max().item<float>()), $"per channel {perChannel}, reduce_range {reduceRange}, {low}..{high}: {difference}");
                }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Quantizing_the_weight_and_running_equals_PyTorchs_default_dynamic_quantization(bool perChannel)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(11);
        using var linear = nn.Linear(40, 30);
        using var module = DynamicQuantizedLinear.from_float(linear, perChannel ? quantization.per_channel_dynamic_qconfig : quantization.default_dynamic_qconfig);
        var weight = linear.weight.detach();
        // PyTorch's weight observer and quantization, in tensor operations.
        var scale = (perChannel ? weight.abs().amax(1) : weight.abs().max().reshape(1)) / 127.5f;
        var codes = (weight * (1 / scale).unsqueeze(1)).round().clamp(-128, 127).to(ScalarType.Int8);
        using var oracle = jit.load(OraclePath());
        oracle.invoke("pack_int", codes, scale.expand(30).contiguous(), linear.bias!.detach());
        var x = randn(9, 40, generator: random);
        var expected = (Tensor)oracle.invoke("dynamic", x, true);
        var state = module.state_dict();
        Assert.True(codes.Equals(state["weight"]));
        Assert.True(scale.Equals(state["weight_scale"]));
        Assert.True((expected - module.call(x)).abs().max().item<float>() <= 1e-6f * expected.abs().max().item<float>());
    }

    private static string OraclePath([CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, "..", "Oracles", "qlinear.pt");
}
