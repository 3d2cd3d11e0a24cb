namespace TorchQuant.Benchmarks.Peers.Torch;

/// <summary>libtorch's linear layers as a script. The index i &amp; 1 keeps the compiler from computing a result once for all turns.</summary>
internal static class LinearScript
{
    public static readonly IReadOnlyList<(string Name, string Type)> Attributes = [("p", "__torch__.torch.classes.quantized.LinearPackedParamsBase")];

    public const string Methods = """
        def forward(self: __torch__.Operators,
            a: Tensor) -> Tensor:
          return a
        def pack(self: __torch__.Operators,
            codes: Tensor,
            scales: Tensor,
            bias: Tensor) -> Tensor:
          _0 = torch.zeros([torch.size(codes, 0)], dtype=4)
          qw = torch._make_per_channel_quantized_tensor(codes, scales, _0, 0)
          _1 = ops.quantized.linear_prepack(qw, bias)
          self.p = _1
          return codes
        def make(self: __torch__.Operators,
            codes: Tensor,
            scale: float,
            zero_point: int) -> Tensor:
          return torch._make_per_tensor_quantized_tensor(codes, scale, zero_point)
        def static(self: __torch__.Operators,
            a: Tensor,
            scale: float,
            zero_point: int,
            n: int) -> List[Tensor]:
          xs = [a, a]
          out = [a, a]
          p = unchecked_cast(__torch__.torch.classes.quantized.LinearPackedParamsBase, self.p)
          for i in range(n):
            _0 = ops.quantized.linear(xs[torch.__and__(i, 1)], p, scale, zero_point)
            _1 = torch._set_item(out, torch.__and__(i, 1), _0)
          return out
        def dynamic(self: __torch__.Operators,
            a: Tensor,
            n: int) -> List[Tensor]:
          xs = [a, a]
          out = [a, a]
          p = unchecked_cast(__torch__.torch.classes.quantized.LinearPackedParamsBase, self.p)
          for i in range(n):
            _0 = ops.quantized.linear_dynamic(xs[torch.__and__(i, 1)], p, True)
            _1 = torch._set_item(out, torch.__and__(i, 1), _0)
          return out
        def float(self: __torch__.Operators,
            a: Tensor,
            w: Tensor,
            bias: Tensor,
            n: int) -> List[Tensor]:
          xs = [a, a]
          out = [a, a]
          for i in range(n):
            _0 = torch.linear(xs[torch.__and__(i, 1)], w, bias)
            _1 = torch._set_item(out, torch.__and__(i, 1), _0)
          return out
        def codes(self: __torch__.Operators,
            a: Tensor) -> Tensor:
          return torch.int_repr(a)
        def onednn_pack(self: __torch__.Operators,
            w: Tensor,
            m: int) -> Tensor:
          return ops.mkldnn._reorder_linear_weight(w, m)
        def onednn(self: __torch__.Operators,
            a: Tensor,
            w: Tensor,
            bias: Tensor,
            n: int) -> List[Tensor]:
          xs = [a, a]
          out = [a, a]
          for i in range(n):
            _0 = ops.mkldnn._linear_pointwise(xs[torch.__and__(i, 1)], w, bias, "none", annotate(List[Optional[number]], []), None)
            _1 = torch._set_item(out, torch.__and__(i, 1), _0)
          return out
        """;
}
