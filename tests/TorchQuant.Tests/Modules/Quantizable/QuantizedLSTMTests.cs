using System.Diagnostics;
using FsCheck.Xunit;
using TorchQuant.Modules;
using TorchQuant.Tests.Modules.Recurrent;
using TorchSharp;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Quantizable;

[Collection(nameof(Alone))]
public class QuantizedLSTMTests
{
    private static readonly QConfig FullRangePerChannel = new(MinMaxObserver.with_args(), quantization.default_per_channel_qconfig.weight);

    [Property(Arbitrary = [typeof(RecurrentCases)], MaxTest = 40)]
    public void Its_codes_are_those_of_its_parts_one_by_one(RecurrentCase sizes)
    {
        using var scope = NewDisposeScope();
        using var prepared = Prepared(sizes, sizes.Scheme == Scheme.PerTensorReduced ? quantization.default_qconfig : FullRangePerChannel);
        using var ofParts = quantization.convert(prepared, custom_mapping: new CustomModuleMapping().Add<LSTM, QuantizableLSTM>((lstm, _, _) => QuantizableLSTM.from_float(lstm)));
        using var int8 = quantization.convert(prepared);
        var (codes, state) = int8.Inner(sizes.Sequence(), sizes.WithState ? (sizes.State(0), sizes.State(1)) : null);
        var expected = Assert.IsType<QuantizableLSTM>(ofParts.Rnn).call(codes, state);
        var actual = Assert.IsType<QuantizedLSTM>(int8.Rnn).call(codes, state);
        Same(expected.Item1, actual.Item1);
        Same(expected.Item2, actual.Item2);
        Same(expected.Item3, actual.Item3);
    }

    [Fact]
    public void Its_codes_are_those_of_its_parts_next_to_a_tie_too() =>
        Its_codes_are_those_of_its_parts_one_by_one(new RecurrentCase(465239665, 5, 5, 3, true, true, true, false, 4, 2, Scheme.PerTensor));

    [Fact]
    public void A_step_is_the_formula_on_dequantized_numbers()
    {
        using var scope = NewDisposeScope();
        var sizes = new RecurrentCase(3, 8, 16, 1, false, false, true, true, 1, 4, Scheme.PerTensor);
        using var prepared = Prepared(sizes, FullRangePerChannel);
        using var int8 = quantization.convert(prepared);
        var part = int8.state_dict();
        var (codes, state) = int8.Inner(sizes.Sequence(), (sizes.State(0), sizes.State(1)));
        Tensor Quantized(Tensor values, string name) => quantize_per_tensor(
            values, part[$"rnn.layers.0.layer_fw.cell.{name}.scale"].item<float>(), part[$"rnn.layers.0.layer_fw.cell.{name}.zero_point"].item<int>(), ScalarType.QUInt8).dequantize();
        Tensor Linear(Tensor x, string name)
        {
            var weight = part[$"rnn.layers.0.layer_fw.cell.{name}.weight"].to(ScalarType.Float64) * part[$"rnn.layers.0.layer_fw.cell.{name}.weight_scale"].to(ScalarType.Float64).unsqueeze(1);
            return Quantized(nn.functional.linear(x.to(ScalarType.Float64), weight, part[$"rnn.layers.0.layer_fw.cell.{name}.bias"].to(ScalarType.Float64)).to(ScalarType.Float32), name);
        }

        Tensor Sigmoid(Tensor x) => quantize_per_tensor(x.sigmoid(), 1.0 / 256, 0, ScalarType.QUInt8).dequantize();
        Tensor Tanh(Tensor x) => quantize_per_tensor(x.tanh(), 2.0 / 256, 128, ScalarType.QUInt8).dequantize();
        var gates = Quantized(Linear(codes[0].dequantize(), "igates") + Linear(state!.Value.Item1[0].dequantize(), "hgates"), "gates").chunk(4, 1);
        var c = Quantized(
            Quantized(Sigmoid(gates[1]) * state.Value.Item2[0].dequantize(), "fgate_cx") + Quantized(Sigmoid(gates[0]) * Tanh(gates[2]), "igate_cgate"), "fgate_cx_igate_cgate");
        var h = Quantized(Sigmoid(gates[3]) * Tanh(c), "ogate_cy");
        var (y, hn, cn) = int8.Rnn.call(codes, state);
        Assert.Equal(h, y[0].dequantize());
        Assert.Equal(h, hn[0].dequantize());
        Assert.Equal(c, cn[0].dequantize());
    }

    [Property(Arbitrary = [typeof(RecurrentCases)], MaxTest = 25)]
    public void It_is_close_to_the_float_LSTM(RecurrentCase any)
    {
        using var scope = NewDisposeScope();
        // Of one direction: the codes of the other are clipped to the scale of the first, in PyTorch too.
        var sizes = any with { Bidirectional = false };
        using var lstm = sizes.Lstm();
        using var prepared = Prepared(sizes, FullRangePerChannel);
        using var int8 = quantization.convert(prepared);
        var (x, states) = (sizes.Sequence(), (sizes.State(0), sizes.State(1)));
        var (y, _, _) = lstm.call(x, states);
        var (codes, codeStates) = int8.Inner(x, states);
        var (y8, h8, _) = int8.Rnn.call(codes, codeStates);
        // Ten roundings of half a 255th of ranges of 1 to 8 a step, in up to 3 layers; measured at most 0.03 in 250 cases.
        Assert.InRange((y - y8.dequantize()).abs().max().item<float>(), 0, 0.05f);
        Assert.Equal(sizes.Layers, h8.shape[0]);
    }

    [Fact]
    public void A_reference_model_computes_its_parts_in_float()
    {
        using var scope = NewDisposeScope();
        var sizes = new RecurrentCase(8, 6, 4, 2, true, true, true, false, 5, 3, Scheme.PerTensor);
        using var prepared = Prepared(sizes, FullRangePerChannel);
        using var int8 = quantization.convert(prepared);
        using var reference = quantization.convert(prepared, is_reference: true);
        Assert.IsType<QuantizableLSTM>(reference.Rnn);
        Assert.Contains(reference.modules(), module => module is ReferenceModule);
        var x = sizes.Sequence();
        Assert.InRange((int8.call(x, null) - reference.call(x, null)).abs().max().item<float>(), 0, 0.05f);
    }

    [Fact]
    public void A_cell_gives_the_codes_of_an_LSTM_of_one_step()
    {
        using var scope = NewDisposeScope();
        using var cell = new CellHolder(nn.LSTMCell(5, 7));
        cell.qconfig = FullRangePerChannel;
        var (x, states) = (randn(6, 3, 5), (randn(3, 7), randn(3, 7)));
        using var prepared = quantization.prepare(cell);
        prepared.call(x, states);
        using var ofParts = quantization.convert(prepared, custom_mapping: new CustomModuleMapping().Add<LSTMCell, QuantizableLSTMCell>((module, _, _) => QuantizableLSTMCell.from_float(module)));
        using var int8 = quantization.convert(prepared);
        Assert.IsType<QuantizableLSTMCell>(ofParts.Cell);
        Assert.IsType<QuantizedLSTMCell>(int8.Cell);
        Assert.Equal(ofParts.call(x, states), int8.call(x, states));
        Assert.Equal(ofParts.call(x[0].unsqueeze(0), null), int8.call(x[0].unsqueeze(0), null));
        Assert.Equal(int8.call(x[.., 0], null)[0], int8.call(x[.., 0].unsqueeze(1), null)[0, 0]);
    }

    [Fact]
    public void Saving_loading_copying_and_load_state_dict_give_the_same_bits()
    {
        using var scope = NewDisposeScope();
        var sizes = new RecurrentCase(5, 6, 4, 2, true, true, true, false, 5, 3, Scheme.PerTensor);
        var other = sizes with { Seed = 6 };
        using var prepared = Prepared(sizes, FullRangePerChannel);
        using var int8 = quantization.convert(prepared);
        using var prepared2 = Prepared(other, FullRangePerChannel);
        using var int8Of2 = quantization.convert(prepared2);
        var x = sizes.Sequence();
        var expected = int8.call(x, null);
        Assert.NotEqual(expected, int8Of2.call(x, null));

        using var copy = ModuleTree.Copy(int8);
        Assert.Equal(expected, copy.call(x, null));
        int8Of2.load_state_dict(int8.state_dict());
        Assert.Equal(expected, int8Of2.call(x, null));
        using var file = new MemoryStream();
        quantization.save(int8, file);
        file.Position = 0;
        using var loaded = quantization.load(new LstmHolder(nn.LSTM(6, 4, 2, batchFirst: true, bidirectional: true)), file);
        Assert.IsType<QuantizedLSTM>(loaded.Rnn);
        Assert.Equal(expected, loaded.call(x, null));
    }

    [Fact]
    public void A_file_of_another_LSTM_is_refused()
    {
        using var scope = NewDisposeScope();
        using var prepared = Prepared(new RecurrentCase(5, 6, 4, 1, false, false, true, false, 2, 3, Scheme.PerTensor), FullRangePerChannel);
        using var int8 = quantization.convert(prepared);
        using var file = new MemoryStream();
        quantization.save(int8, file);
        foreach (var lstm in new[] { nn.LSTM(5, 4), nn.LSTM(6, 8), nn.LSTM(6, 4, 2), nn.LSTM(6, 4, bidirectional: true) })
        {
            file.Position = 0;
            using var model = new LstmHolder(lstm);
            Assert.Contains("rnn.weight", Assert.Throws<QuantizedFileException>(() => quantization.load(model, file)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_state_has_the_names_and_the_bytes_that_it_says()
    {
        using var scope = NewDisposeScope();
        using var prepared = Prepared(new RecurrentCase(5, 6, 4, 1, true, false, true, false, 2, 3, Scheme.PerTensor), FullRangePerChannel);
        using var int8 = quantization.convert(prepared);
        var module = (QuantizedLSTM)int8.Rnn;
        var state = module.ExportState();
        Assert.Contains("layers.0.layer_bw.cell.hgates.weight", state.Select(entry => entry.Key));
        Assert.Contains("layers.0.layer_fw.cell.fgate_cx_igate_cgate.zero_point", state.Select(entry => entry.Key));
        Assert.Equal(state.Sum(entry => entry.Value.numel() * entry.Value.element_size()), module.WeightBytes);
        Assert.Equal(state.Select(entry => $"rnn.{entry.Key}").Order(), int8.state_dict().Keys.Where(name => name.StartsWith("rnn.", StringComparison.Ordinal)).Order());
        Assert.Equal("QuantizedLSTM(6, 4, bidirectional=True)", module.ToString());
        Assert.Equal("rnn", module.Path);
    }

    [Fact]
    public void What_it_cannot_run_is_refused_and_named()
    {
        using var scope = NewDisposeScope();
        using var prepared = Prepared(new RecurrentCase(5, 3, 2, 1, false, false, true, false, 2, 1, Scheme.PerTensor), FullRangePerChannel);
        using var int8 = quantization.convert(prepared);
        var (codes, states) = int8.Inner(zeros(4, 1, 3), (zeros(1, 1, 2), zeros(1, 1, 2)));
        void Refused(string message, Action run) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(run).Message, StringComparison.Ordinal);

        Refused("rnn (QuantizedLSTM) takes a quantized tensor, found Float32: a QuantStub is missing before it", () => int8.Rnn.call(zeros(4, 1, 3)));
        Refused("(Parameter 'h_0')", () => int8.Rnn.call(codes, (zeros(1, 1, 2), states!.Value.Item2)));
        Refused("(Parameter 'c_0')", () => int8.Rnn.call(codes, (states!.Value.Item1, zeros(1, 1, 2))));
        Refused("rnn (QuantizedLSTM): h_0 is (1, 2); expected (1, 1, 2)", () => int8.Rnn.call(codes, (states!.Value.Item1[0], states.Value.Item2)));
        Refused("rnn (QuantizedLSTM): the input is (4, 3); expected three dimensions", () => int8.Rnn.call(codes[.., 0]));
        Refused("a sequence of no steps", () => int8.Rnn.call(codes[..0]));
        Assert.Equal([2, 0, 2], int8.Rnn.call(codes[..2, ..0]).Item1.shape);
        Assert.Contains("rnn (QuantizedLSTM) cannot be converted to Float16", Assert.Throws<InvalidOperationException>(() => int8.Rnn.to(ScalarType.Float16)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_field_declared_LSTM_is_refused_with_its_mend_and_one_that_saw_no_data_by_its_parts()
    {
        using var scope = NewDisposeScope();
        using var model = new SealedHolder();
        model.eval();
        Assert.Contains("rnn: SealedHolder.rnn is declared LSTM and cannot hold QuantizableLSTM; declare it Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)>",
            Assert.Throws<ModuleReplacementException>(() => quantization.prepare(model, quantization.default_qconfig)).Message, StringComparison.Ordinal);

        using var holder = new LstmHolder(nn.LSTM(3, 2));
        using var prepared = quantization.prepare(holder, quantization.default_qconfig);
        prepared.Inner(zeros(2, 1, 3), (zeros(1, 1, 2), zeros(1, 1, 2)));
        Assert.Contains("rnn.layers.0.layer_fw.cell.igates", Assert.Throws<ModuleReplacementException>(() => quantization.convert(prepared, check: false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Thousands_of_steps_do_not_grow_the_process()
    {
        using var scope = NewDisposeScope();
        var sizes = new RecurrentCase(5, 32, 32, 2, true, true, true, false, 50, 2, Scheme.PerTensor);
        using var prepared = Prepared(sizes, FullRangePerChannel);
        using var int8 = quantization.convert(prepared);
        var x = sizes.Sequence();
        void Run(LstmHolder model, int times)
        {
            for (var i = 0; i < times; i++)
            {
                using var none = no_grad();
                model.call(x, null).Dispose();
            }
        }

        foreach (var (model, times) in new[] { (int8, 400), (prepared, 20) })
        {
            Run(model, 5);
            var (tensors, memory) = (Tensor.TotalCount, Process.GetCurrentProcess().PrivateMemorySize64);
            Run(model, times);
            Assert.InRange(Tensor.TotalCount - tensors, -1000, 8);
            Assert.InRange(Process.GetCurrentProcess().PrivateMemorySize64 - memory, long.MinValue, 64 << 20);
        }
    }

    [Fact]
    public void Many_threads_may_use_one_module()
    {
        using var scope = NewDisposeScope();
        var sizes = new RecurrentCase(5, 9, 12, 2, true, false, true, false, 6, 2, Scheme.PerTensor);
        using var prepared = Prepared(sizes, FullRangePerChannel);
        using var int8 = quantization.convert(prepared);
        var x = sizes.Sequence();
        var expected = int8.call(x, null).data<float>().ToArray();
        Parallel.For(0, 100, _ =>
        {
            using var y = int8.call(x, null);
            Assert.Equal(expected, y.data<float>().ToArray());
        });
    }

    private static LstmHolder Prepared(RecurrentCase sizes, QConfig qconfig)
    {
        using var model = new LstmHolder(sizes.Lstm());
        model.qconfig = qconfig;
        var prepared = quantization.prepare(model);
        prepared.call(sizes.Sequence(), (sizes.State(0), sizes.State(1))).Dispose();
        return prepared;
    }

    private static void Same(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.q_scale(), actual.q_scale());
        Assert.Equal(expected.q_zero_point(), actual.q_zero_point());
        Assert.Equal(expected.int_repr(), actual.int_repr());
    }

    private sealed class SealedHolder : nn.Module<Tensor, Tensor>
    {
        private readonly LSTM rnn = nn.LSTM(3, 2);

        public SealedHolder() : base(nameof(SealedHolder)) => RegisterComponents();

        public override Tensor forward(Tensor input) => rnn.call(input).Item1;
    }

    private sealed class CellHolder : nn.Module<Tensor, (Tensor, Tensor)?, Tensor>
    {
        private readonly QuantStub quant = new();
        private readonly QuantStub quant_h = new();
        private readonly QuantStub quant_c = new();
        private readonly nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor)> cell;
        private readonly DeQuantStub dequant = new();

        public CellHolder(LSTMCell cell) : base(nameof(CellHolder))
        {
            this.cell = cell;
            RegisterComponents();
            eval();
        }

        public nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor)> Cell => cell;

        public override Tensor forward(Tensor input, (Tensor, Tensor)? state)
        {
            var x = quant.call(input);
            (Tensor H, Tensor C)? s = state is { } given ? (quant_h.call(given.Item1), quant_c.call(given.Item2)) : null;
            var outputs = new List<Tensor>();
            for (var step = 0; step < x.shape[0]; step++)
            {
                s = cell.call(x[step], s);
                outputs.Add(dequant.call(s.Value.H));
            }

            return stack([.. outputs, dequant.call(s!.Value.C)]);
        }
    }
}
