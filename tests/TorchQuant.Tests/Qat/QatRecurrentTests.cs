using FsCheck.Xunit;
using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Qat;

/// <summary>LSTM and GRU in quantization-aware training.</summary>
public class QatRecurrentTests
{
    public static TheoryData<int, bool, bool> Options { get; } = new MatrixTheoryData<int, bool, bool>([1, 2], [false, true], [false, true]);

    [Theory]
    [MemberData(nameof(Options))]
    public void Without_fake_quantization_an_LSTM_is_the_float_one_with_its_gradients(int layers, bool bidirectional, bool batchFirst)
    {
        using var scope = NewDisposeScope();
        using var lstm = nn.LSTM(3, 4, layers, batchFirst: batchFirst, bidirectional: bidirectional);
        using var qat = QatLSTM.from_float(lstm, quantization.get_default_dynamic_qconfig());
        qat.apply(quantization.disable_fake_quant);
        var (x, directions) = (randn(5, 2, 3), bidirectional ? 2 : 1);
        (Tensor, Tensor)? state = (randn(layers * directions, batchFirst ? 5 : 2, 4), randn(layers * directions, batchFirst ? 5 : 2, 4));
        foreach (var initial in ((Tensor, Tensor)?[])[null, state])
        {
            var (y, h, c) = lstm.call(x, initial);
            var (y2, h2, c2) = qat.call(x, initial);
            Near([y, h, c], [y2, h2, c2]);
            Near(Gradients(lstm, y, c), Gradients(lstm, y2, c2));
        }
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void Without_fake_quantization_a_GRU_is_the_float_one_with_its_gradients(int layers, bool bidirectional, bool batchFirst)
    {
        using var scope = NewDisposeScope();
        using var gru = nn.GRU(3, 4, layers, batchFirst: batchFirst, bidirectional: bidirectional);
        using var qat = QatGRU.from_float(gru, quantization.get_default_dynamic_qconfig());
        qat.apply(quantization.disable_fake_quant);
        var x = randn(5, 2, 3);
        var (y, h) = gru.call(x);
        var (y2, h2) = qat.call(x);
        Near([y, h], [y2, h2]);
        Near(Gradients(gru, y, h), Gradients(gru, y2, h2));
    }

    [Theory]
    [InlineData("native")]
    [InlineData("fbgemm")]
    public void What_was_trained_is_what_dynamic_quantization_computes(string backend)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(4);
        using var model = new Net();
        Fill(model, random);
        using var optimizer = optim.Adam(model.parameters(), 0.01);
        model.qconfig = quantization.get_default_dynamic_qconfig(backend);
        quantization.prepare_qat(model, new QConfigSpec { ["fc"] = null }, inplace: true);
        Assert.IsType<QatLSTM>(model.lstm);
        Assert.IsType<QatGRU>(model.gru);
        Assert.Contains("lstm.weight_hh_l1", model.state_dict().Keys);
        Assert.Contains("lstm.fake_quant.fake_quant_enabled", model.state_dict().Keys);
        float Loss(int step)
        {
            using var inner = NewDisposeScope();
            var x = randn([12, 8, 6], generator: random);
            var loss = nn.functional.mse_loss(model.call(x), x.mean([0L, 2]).unsqueeze(1));
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
            return loss.item<float>();
        }

        var losses = Enumerable.Range(0, 40).Select(Loss).ToList();
        Assert.InRange(losses.TakeLast(5).Average(), 0, losses.Take(5).Average() * 0.8f);
        using var int8 = quantization.convert(model);
        Assert.IsType<DynamicQuantizedLSTM>(int8.lstm);
        Assert.IsType<DynamicQuantizedGRU>(int8.gru);
        model.eval();
        var batch = randn([12, 8, 6], generator: random);
        var trained = model.call(batch);
        var error = (trained - int8.call(batch)).abs().max().item<float>();
        model.apply(quantization.disable_fake_quant);
        var cost = (model.call(batch) - trained).abs().max().item<float>();
        Assert.InRange(error, 0, cost / 2); // nearer to what was trained than quantization is to float; a code that rounds to the other side is carried on from step to step
    }

    [Property(MaxTest = 30)]
    public void One_step_equals_that_of_the_dynamically_quantized_module(int seed, bool reduced, bool perChannel)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)(uint)seed);
        var plain = quantization.get_default_dynamic_qconfig(reduced ? "fbgemm" : "native");
        var qconfig = perChannel ? new QConfig(plain.activation, quantization.per_channel_dynamic_qconfig.weight) : plain;
        using var lstm = nn.LSTM(5, 7);
        using var gru = nn.GRU(5, 7);
        Fill(lstm, random);
        Fill(gru, random);
        var (x, h, c) = (randn([1, 40, 5], generator: random), randn([1, 40, 7], generator: random), randn([1, 40, 7], generator: random));
        using var qatLstm = QatLSTM.from_float(lstm, qconfig);
        using var int8Lstm = DynamicQuantizedLSTM.from_float(lstm, qconfig);
        Close(int8Lstm.call(x, (h, c)).Item3, qatLstm.call(x, (h, c)).Item3);
        using var qatGru = QatGRU.from_float(gru, qconfig);
        using var int8Gru = DynamicQuantizedGRU.from_float(gru, qconfig);
        Close(int8Gru.call(x, h).Item2, qatGru.call(x, h).Item2);
    }

    /// <summary>Equal to float rounding, but for a row in which a code of the input rounds to the other side.</summary>
    private static void Close(Tensor expected, Tensor actual)
    {
        var difference = (expected - actual).abs();
        Assert.InRange(difference.max().item<float>(), 0, 0.05f);
        Assert.InRange(difference.amax([2L]).gt(2e-5).sum().item<long>(), 0, 1);
    }

    private static void Fill(nn.Module module, Generator random)
    {
        using var off = no_grad();
        foreach (var parameter in module.parameters())
            parameter.copy_(randn(parameter.shape, generator: random) * 0.4);
    }

    [Fact]
    public void Another_qconfig_and_another_shape_are_refused_with_the_mend()
    {
        using var model = new Net();
        var refused = Assert.Throws<ModuleReplacementException>(() => quantization.prepare_qat(model, quantization.get_default_qat_qconfig()));
        Assert.Contains("model.gru.qconfig = quantization.get_default_dynamic_qconfig(), or null", refused.Message, StringComparison.Ordinal);
        using var lstm = nn.LSTM(3, 4);
        Assert.Throws<ArgumentException>(() => QatLSTM.from_float(lstm, quantization.get_default_qat_qconfig()));
        using var qat = QatLSTM.from_float(lstm, quantization.get_default_dynamic_qconfig());
        using var x = randn(5, 2, 7);
        Assert.StartsWith("QatLSTM (QatLSTM): its input has the shape [5, 2, 7], expected [sequence, batch, 3]", Assert.Throws<ArgumentException>(() => qat.call(x)).Message, StringComparison.Ordinal);
    }

    private static List<Tensor> Gradients(nn.Module module, Tensor y, Tensor state)
    {
        module.zero_grad();
        (y.pow(2).sum() + state.sum()).backward();
        return [.. module.parameters().Select(p => p.grad!.clone())];
    }

    private static void Near(List<Tensor> expected, List<Tensor> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (wanted, found) in expected.Zip(actual))
        {
            Assert.Equal(wanted.shape, found.shape);
            Assert.InRange((wanted - found).abs().max().item<float>(), 0, 1e-4f * (1 + wanted.abs().max().item<float>()));
        }
    }

    private sealed class Net : nn.Module<Tensor, Tensor>
    {
        public nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)> lstm = nn.LSTM(6, 8, 2);
        public nn.Module<Tensor, Tensor?, (Tensor, Tensor)> gru = nn.GRU(8, 8)!;
        public nn.Module<Tensor, Tensor> fc = nn.Linear(8, 1);

        public Net() : base(nameof(Net)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var (y, _, _) = lstm.call(input, null);
            var (z, _) = gru.call(y, null);
            return fc.call(z[-1]).MoveToOuterDisposeScope();
        }
    }
}
