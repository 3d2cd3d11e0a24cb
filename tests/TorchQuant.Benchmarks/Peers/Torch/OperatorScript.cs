namespace TorchQuant.Benchmarks.Peers.Torch;

/// <summary>One of libtorch's operators as a script. The index i &amp; 1 keeps the compiler from computing a result once for all turns.</summary>
internal static class OperatorScript
{
    /// <param name="expression">Computes a result from x, y, scale and zero_point.</param>
    /// <param name="isChannelsLast">Whether int8 tensors are made from pictures and lie in memory with their channels last; their codes come back in that order.</param>
    public static string Methods(string expression, bool isChannelsLast = false)
    {
        var (made, codes) = isChannelsLast ? ("torch.contiguous(_0, memory_format=2)", "torch.contiguous(torch.permute(torch.int_repr(a), [0, 2, 3, 1]))") : ("_0", "torch.int_repr(a)");
        return $"""
            def forward(self: __torch__.Operators,
                a: Tensor) -> Tensor:
              return a
            def make(self: __torch__.Operators,
                codes: Tensor,
                scale: float,
                zero_point: int) -> Tensor:
              _0 = torch._make_per_tensor_quantized_tensor(codes, scale, zero_point)
              return {made}
            def codes(self: __torch__.Operators,
                a: Tensor) -> Tensor:
              return {codes}
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
}
