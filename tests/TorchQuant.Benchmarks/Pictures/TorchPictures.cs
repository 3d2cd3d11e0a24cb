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
        jit.ScriptModule script = TorchScriptArchive.Load([], Methods(operation.Torch));
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

    private static string Methods(string expression) => $"""
        def forward(self: __torch__.Operators,
            a: Tensor) -> Tensor:
          return a
        def make(self: __torch__.Operators,
            codes: Tensor,
            scale: float,
            zero_point: int) -> Tensor:
          _0 = torch._make_per_tensor_quantized_tensor(codes, scale, zero_point)
          return torch.contiguous(_0, memory_format=2)
        def codes(self: __torch__.Operators,
            a: Tensor) -> Tensor:
          _0 = torch.permute(torch.int_repr(a), [0, 2, 3, 1])
          return torch.contiguous(_0)
        def run(self: __torch__.Operators,
            a: Tensor,
            y: Tensor,
            scale: float,
            zero_point: int,
            n: int) -> List[Tensor]:
          xs = [a, a]
          out = [a, a]
          for i in range(n):
            x = xs[torch.__and__(i, 1)]
            _0 = {expression}
            _1 = torch._set_item(out, torch.__and__(i, 1), _0)
          return out
        """;
}
