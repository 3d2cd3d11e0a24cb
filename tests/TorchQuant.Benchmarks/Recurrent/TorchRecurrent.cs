using TorchQuant.Benchmarks.Peers.Torch;
using TorchQuant.Benchmarks.Races;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Recurrent;

/// <summary>libtorch's LSTM and GRU: float, and dynamic int8 with three engines.</summary>
internal static class TorchRecurrent
{
    public static IContender Float(RecurrentData data, int threads)
    {
        RecurrentCase s = data.Shape;
        Tensor[] weights =
        [
            .. data.Cells.SelectMany((cell, layer) => new[]
            {
                tensor(cell.FloatInput).reshape(-1, s.InputsOf(layer)), tensor(cell.FloatHidden).reshape(-1, s.Hidden), tensor(cell.InputBias), tensor(cell.HiddenBias),
            }),
        ];
        Tensor x = X(data), h = zeros(s.Layers, s.Batch, s.Hidden);
        string method = s.Gates == RecurrentCase.Lstm ? "lstm_float" : "gru_float";
        return Contender("libtorch float", Side.FloatPeer, null, data, threads, TorchScriptArchive.Load(RecurrentScript.Attributes, RecurrentScript.Methods), (m, n) => m.invoke(method, x, h, weights, s.Layers, n));
    }

    public static IContender Int8(RecurrentData data, int threads, string engine, byte number)
    {
        RecurrentCase s = data.Shape;
        jit.ScriptModule script = TorchScriptArchive.Load(RecurrentScript.Attributes, RecurrentScript.Methods);
        set_num_threads(threads);
        QuantizedEngine.Set(number);
        Tensor[] codes =
        [
            .. data.Cells.SelectMany((cell, layer) => new[]
            {
                tensor(cell.Input).reshape(-1, s.InputsOf(layer)), tensor(cell.Hidden).reshape(-1, s.Hidden), tensor(cell.InputBias), tensor(cell.HiddenBias),
            }),
        ];
        using Tensor scales = tensor(data.Cells.SelectMany(cell => new[] { (double)cell.InputScale, cell.HiddenScale }).ToArray());
        script.invoke<Tensor>("pack", codes, scales);
        Tensor x = X(data), h = zeros(s.Layers, s.Batch, s.Hidden);
        string method = s.Gates == RecurrentCase.Lstm ? "lstm_int8" : "gru_int8";
        return Contender($"libtorch int8 {engine}", Side.Int8Peer, number, data, threads, script, (m, n) => m.invoke(method, x, h, s.Layers, n));
    }

    private static Tensor X(RecurrentData data) => tensor(data.X).reshape(data.Shape.Steps, data.Shape.Batch, data.Shape.Inputs);

    private static TorchContender Contender(string name, Side side, byte? engine, RecurrentData data, int threads, jit.ScriptModule script, Func<jit.ScriptModule, int, object> run) =>
        new(name, side, engine, threads, script, run, (who, m) =>
        {
            using var scope = NewDisposeScope();
            return data.Check(who, ((Tensor[])run(m, 2))[1].contiguous().data<float>().ToArray(), side == Side.Int8Peer);
        });
}
