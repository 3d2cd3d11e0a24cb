using FsCheck.Xunit;
using TorchQuant.Modules;
using TorchQuant.Tests.Modules.Recurrent;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Quantizable;

public class QuantizedLSTMTests
{
    private static readonly QConfig FullRangePerChannel = new(MinMaxObserver.with_args(), quantization.default_per_channel_qconfig.weight);

    [Property(Arbitrary = [typeof(RecurrentCases)], MaxTest = 60)]
    public void Its_codes_are_those_of_its_parts_one_by_one(RecurrentCase sizes)
    {
        using var scope = NewDisposeScope();
        using var model = new LstmHolder(sizes.Lstm());
        model.qconfig = sizes.Scheme == Scheme.PerTensorReduced ? quantization.default_qconfig : FullRangePerChannel;
        var (x, state) = (sizes.Sequence(), ((Tensor, Tensor)?)(sizes.WithState ? (sizes.State(0), sizes.State(1)) : null));
        using var prepared = quantization.prepare(model);
        prepared.call(x, (sizes.State(0), sizes.State(1)));
        using var ofParts = quantization.convert(prepared, custom_mapping: new CustomModuleMapping().Add<LSTM, QuantizableLSTM>((lstm, _, _) => QuantizableLSTM.from_float(lstm)));
        using var int8 = quantization.convert(prepared);
        var parts = Assert.IsType<QuantizableLSTM>(ofParts.Rnn);
        var quantized = Assert.IsType<QuantizedLSTM>(int8.Rnn);
        var (codes, codeState) = int8.Inner(x, state);
        var (y, h, c) = parts.call(codes, codeState);
        var (y2, h2, c2) = quantized.call(codes, codeState);
        Same(y, y2);
        Same(h, h2);
        Same(c, c2);
    }

    private static void Same(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.q_scale(), actual.q_scale());
        Assert.Equal(expected.q_zero_point(), actual.q_zero_point());
        Assert.Equal(expected.int_repr(), actual.int_repr());
    }
}
