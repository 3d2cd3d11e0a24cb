using TorchQuant.Benchmarks.Data;
using TorchQuant.Benchmarks.Peers.Torch;
using TorchQuant.Benchmarks.Races;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.LinearLayers;

/// <summary>libtorch's linear layers: MKL and oneDNN in float, three engines in int8.</summary>
internal static class TorchLinear
{
    /// <summary>torch.nn.functional.linear.</summary>
    public static IContender Float(LinearData data, int threads)
    {
        jit.ScriptModule script = TorchScriptArchive.Load(LinearScript.Attributes, LinearScript.Methods);
        Tensor x = X(data), weights = FloatWeights(data), bias = tensor(data.Bias);
        return new TorchContender("libtorch float", Side.FloatPeer, null, threads, script, Run, (name, s) => CheckFloat(name, data, Run(s, 2), data.FloatTolerance));

        object Run(jit.ScriptModule s, int n) => s.invoke("float", x, weights, bias, n);
    }

    /// <summary>oneDNN's product with weights in its own layout, as torch.jit.optimize_for_inference uses it: faster than MKL on AMD.</summary>
    public static IContender FloatOneDnn(LinearData data, int threads)
    {
        jit.ScriptModule script = TorchScriptArchive.Load(LinearScript.Attributes, LinearScript.Methods);
        set_num_threads(threads);
        Tensor x = X(data), bias = tensor(data.Bias), weights = script.invoke<Tensor>("onednn_pack", FloatWeights(data), data.Shape.M);
        return new TorchContender("libtorch float onednn", Side.FloatPeer, null, threads, script, Run, (name, s) => CheckFloat(name, data, Run(s, 2), data.FloatTolerance));

        object Run(jit.ScriptModule s, int n) => s.invoke("onednn", x, weights, bias, n);
    }

    public static IContender Static(LinearData data, int threads, string engine, byte number)
    {
        jit.ScriptModule script = Packed(data, threads, number);
        Tensor codes = script.invoke<Tensor>("make", tensor(data.Codes).reshape(data.Shape.M, data.Shape.K), (double)Draw.Activations.Scale, Draw.Activations.ZeroPoint);
        return new TorchContender($"libtorch int8 {engine}", Side.Int8Peer, number, threads, script, Run, Check);

        object Run(jit.ScriptModule s, int n) => s.invoke("static", codes, (double)data.Output.Scale, data.Output.ZeroPoint, n);

        Agreement Check(string name, jit.ScriptModule s)
        {
            using var scope = NewDisposeScope();
            Tensor found = s.invoke<Tensor>("codes", ((Tensor[])Run(s, 2))[1]);
            return Agreement.OfCodes(name, data.ExpectedCodes, data.At<byte>(found.data<byte>().ToArray()), allowed: 1);
        }
    }

    public static IContender Dynamic(LinearData data, int threads, string engine, byte number)
    {
        jit.ScriptModule script = Packed(data, threads, number);
        Tensor x = X(data);
        return new TorchContender($"libtorch int8 {engine}", Side.Int8Peer, number, threads, script, Run, (name, s) => CheckFloat(name, data, Run(s, 2), data.DynamicTolerance));

        object Run(jit.ScriptModule s, int n) => s.invoke("dynamic", x, n);
    }

    private static Tensor X(LinearData data) => tensor(data.X).reshape(data.Shape.M, data.Shape.K);

    private static Tensor FloatWeights(LinearData data) => tensor(data.FloatWeights).reshape(data.Shape.N, data.Shape.K);

    private static jit.ScriptModule Packed(LinearData data, int threads, byte number)
    {
        jit.ScriptModule script = TorchScriptArchive.Load(LinearScript.Attributes, LinearScript.Methods);
        set_num_threads(threads);
        QuantizedEngine.Set(number);
        using Tensor codes = tensor(data.Weights).reshape(data.Shape.N, data.Shape.K), scales = tensor(Array.ConvertAll(data.Scales, s => (double)s)), bias = tensor(data.Bias);
        script.invoke<Tensor>("pack", codes, scales, bias).Dispose();
        return script;
    }

    private static Agreement CheckFloat(string name, LinearData data, object result, double allowed)
    {
        using var scope = NewDisposeScope();
        return Agreement.OfFloats(name, data.ExpectedFloats, data.At<float>(((Tensor[])result)[1].data<float>().ToArray()), allowed);
    }
}
