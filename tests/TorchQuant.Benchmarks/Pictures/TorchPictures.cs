using TorchQuant.Benchmarks.Data;
using TorchQuant.Benchmarks.Peers.Torch;
using TorchQuant.Benchmarks.Races;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Pictures;

/// <summary>libtorch's operations on pictures in channels_last, its faster layout for int8.</summary>
internal static class TorchPictures
{
    public static IContender Int8(PictureData data, int threads)
    {
        PictureOperation operation = data.Operation;
        jit.ScriptModule script = TorchScriptArchive.Load([], OperatorScript.Methods(operation.Torch, isChannelsLast: true));
        Tensor a = Make(data.A, (double)Draw.Activations.Scale, Draw.Activations.ZeroPoint), b = Make(data.B, PictureData.Second.Scale, PictureData.Second.ZeroPoint);
        return new TorchContender("libtorch int8", Side.Int8Peer, null, threads, script, Run, (name, m) =>
        {
            using var scope = NewDisposeScope();
            return data.CheckChannelsLast(name, m.invoke<Tensor>("codes", ((Tensor[])Run(m, 2))[1]).data<byte>().ToArray());
        });

        object Run(jit.ScriptModule m, int n) => m.invoke("run", a, b, (double)operation.Output.Scale, operation.Output.ZeroPoint, n);

        Tensor Make(byte[] codes, double scale, int zeroPoint) =>
            script.invoke<Tensor>("make", tensor(data.ToChannelsFirst(codes)).reshape(data.Shape(operation.Channels, operation.Size, channelsLast: false)), scale, zeroPoint);
    }
}
