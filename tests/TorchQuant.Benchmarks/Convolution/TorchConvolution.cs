using TorchQuant.Benchmarks.Data;
using TorchQuant.Benchmarks.Peers.Torch;
using TorchQuant.Benchmarks.Races;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Convolution;

/// <summary>libtorch's convolutions, channels last: float as conv2d and relu_ and with weights in oneDNN's own layout and the ReLU fused; int8 with three engines.</summary>
internal static class TorchConvolution
{
    public static IContender Float(ConvData data, int threads)
    {
        (jit.ScriptModule script, ConvShape s, Tensor x, Tensor weights, Tensor bias) = Prepare(data);
        return Contender("libtorch float", data, threads, script, (m, n) => m.invoke("float", x, weights, bias, s.Stride, s.Padding, s.Groups, n));
    }

    public static IContender FloatOneDnn(ConvData data, int threads)
    {
        (jit.ScriptModule script, ConvShape s, Tensor x, Tensor weights, Tensor bias) = Prepare(data);
        set_num_threads(threads);
        Tensor packed = script.invoke<Tensor>("onednn_pack", x, weights, s.Stride, s.Padding, s.Groups);
        return Contender("libtorch float onednn", data, threads, script, (m, n) => m.invoke("onednn", x, packed, bias, s.Stride, s.Padding, s.Groups, n));
    }

    public static IContender Int8(ConvData data, int threads, string engine, byte number)
    {
        ConvShape s = data.Shape;
        jit.ScriptModule script = TorchScriptArchive.Load(ConvScript.Attributes, ConvScript.Methods);
        set_num_threads(threads);
        QuantizedEngine.Set(number);
        using Tensor weights = tensor(data.Weights).reshape(s.Out, s.InPerGroup, s.Kernel, s.Kernel), scales = tensor(Array.ConvertAll(data.Scales, v => (double)v)), bias = tensor(data.Bias);
        script.invoke<Tensor>("pack", weights, scales, bias, s.Stride, s.Padding, s.Groups).Dispose();
        Tensor codes = script.invoke<Tensor>("make", ChannelsLast(data.Codes, s), (double)Draw.Activations.Scale, Draw.Activations.ZeroPoint);
        return new TorchContender($"libtorch int8 {engine}", Side.Int8Peer, number, threads, script, Run, Check);

        object Run(jit.ScriptModule m, int n) => m.invoke("static", codes, (double)data.Output.Scale, data.Output.ZeroPoint, n);

        Agreement Check(string name, jit.ScriptModule m)
        {
            using var scope = NewDisposeScope();
            Tensor found = m.invoke<Tensor>("codes", ((Tensor[])Run(m, 2))[1]);
            return Agreement.OfCodes(name, data.ExpectedCodes, data.AtChannelsLast<byte>(found.permute(0, 2, 3, 1).contiguous().data<byte>().ToArray()), allowed: 1);
        }
    }

    private static (jit.ScriptModule Script, ConvShape Shape, Tensor X, Tensor Weights, Tensor Bias) Prepare(ConvData data)
    {
        ConvShape s = data.Shape;
        Tensor weights = tensor(data.FloatWeights()).reshape(s.Out, s.InPerGroup, s.Kernel, s.Kernel);
        return (TorchScriptArchive.Load(ConvScript.Attributes, ConvScript.Methods), s, ChannelsLast(data.X(), s), weights.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), tensor(data.Bias));
    }

    private static Tensor ChannelsLast<T>(T[] values, ConvShape s) where T : unmanaged =>
        (values is byte[] codes ? tensor(codes) : tensor((float[])(object)values)).reshape(s.Batch, s.Size, s.Size, s.In).permute(0, 3, 1, 2);

    private static TorchContender Contender(string name, ConvData data, int threads, jit.ScriptModule script, Func<jit.ScriptModule, int, object> run) =>
        new(name, Side.FloatPeer, null, threads, script, run, (who, m) =>
        {
            using var scope = NewDisposeScope();
            Tensor found = ((Tensor[])run(m, 2))[1].permute(0, 2, 3, 1).contiguous();
            return Agreement.OfFloats(who, data.ExpectedFloats, data.AtChannelsLast<float>(found.data<float>().ToArray()), data.FloatTolerance);
        });
}
