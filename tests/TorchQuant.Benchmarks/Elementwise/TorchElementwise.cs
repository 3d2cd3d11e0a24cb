using TorchQuant.Benchmarks.Peers.Torch;
using TorchQuant.Benchmarks.Races;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Elementwise;

/// <summary>libtorch's elementwise operations.</summary>
internal static class TorchElementwise
{
    public static IContender Int8(ElementwiseData data, int threads)
    {
        jit.ScriptModule script = TorchScriptArchive.Load([], OperatorScript.Methods(data.Operation.TorchInt8));
        Tensor a = data.Operation.Kind == OperationKind.Quantize ? tensor(data.FloatA) : script.invoke<Tensor>("make", tensor(data.A), (double)Operation.First.Scale, Operation.First.ZeroPoint);
        Tensor b = script.invoke<Tensor>("make", tensor(data.B), (double)Operation.Second.Scale, Operation.Second.ZeroPoint);
        return new TorchContender("libtorch int8", Side.Int8Peer, null, threads, script, Run, Check);

        object Run(jit.ScriptModule m, int n) => m.invoke("run", a, b, (double)data.Operation.Output.Scale, data.Operation.Output.ZeroPoint, n);

        Agreement Check(string name, jit.ScriptModule m)
        {
            using var scope = NewDisposeScope();
            Tensor found = ((Tensor[])Run(m, 2))[1];
            return data.GivesFloats ? data.CheckFloats(name, found.data<float>().ToArray()) : data.CheckCodes(name, m.invoke<Tensor>("codes", found).data<byte>().ToArray());
        }
    }

    public static IContender Float(ElementwiseData data, int threads)
    {
        jit.ScriptModule script = TorchScriptArchive.Load([], OperatorScript.Methods(data.Operation.TorchFloat!));
        Tensor a = tensor(data.FloatA), b = tensor(data.FloatB);
        return new TorchContender("libtorch float", Side.FloatPeer, null, threads, script, Run, (name, m) =>
        {
            using var scope = NewDisposeScope();
            return data.CheckFloats(name, ((Tensor[])Run(m, 2))[1].data<float>().ToArray());
        });

        object Run(jit.ScriptModule m, int n) => m.invoke("run", a, b, 1.0, 0, n);
    }
}
