namespace TorchQuant.Benchmarks.Peers.Torch;

/// <summary>libtorch's convolutions with ReLU as a script. The index i &amp; 1 keeps the compiler from computing a result once for all turns.</summary>
internal static class ConvScript
{
    public static readonly IReadOnlyList<(string Name, string Type)> Attributes = [("p", "__torch__.torch.classes.quantized.Conv2dPackedParamsBase")];

    public const string Methods = """
        def forward(self: __torch__.Operators,
            a: Tensor) -> Tensor:
          return a
        def pack(self: __torch__.Operators,
            codes: Tensor,
            scales: Tensor,
            bias: Tensor,
            stride: int,
            pad: int,
            groups: int) -> Tensor:
          _0 = torch.zeros([torch.size(codes, 0)], dtype=4)
          qw = torch._make_per_channel_quantized_tensor(codes, scales, _0, 0)
          _1 = ops.quantized.conv2d_prepack(qw, bias, [stride, stride], [pad, pad], [1, 1], groups)
          self.p = _1
          return codes
        def make(self: __torch__.Operators,
            codes: Tensor,
            scale: float,
            zero_point: int) -> Tensor:
          _0 = torch._make_per_tensor_quantized_tensor(codes, scale, zero_point)
          return torch.contiguous(_0, memory_format=2)
        def static(self: __torch__.Operators,
            a: Tensor,
            scale: float,
            zero_point: int,
            n: int) -> List[Tensor]:
          xs = [a, a]
          out = [a, a]
          p = unchecked_cast(__torch__.torch.classes.quantized.Conv2dPackedParamsBase, self.p)
          for i in range(n):
            _0 = ops.quantized.conv2d_relu(xs[torch.__and__(i, 1)], p, scale, zero_point)
            _1 = torch._set_item(out, torch.__and__(i, 1), _0)
          return out
        def float(self: __torch__.Operators,
            a: Tensor,
            w: Tensor,
            bias: Tensor,
            stride: int,
            pad: int,
            groups: int,
            n: int) -> List[Tensor]:
          xs = [a, a]
          out = [a, a]
          for i in range(n):
            _0 = torch.conv2d(xs[torch.__and__(i, 1)], w, bias, [stride, stride], [pad, pad], [1, 1], groups)
            _1 = torch.relu_(_0)
            _2 = torch._set_item(out, torch.__and__(i, 1), _1)
          return out
        def onednn_pack(self: __torch__.Operators,
            a: Tensor,
            w: Tensor,
            stride: int,
            pad: int,
            groups: int) -> Tensor:
          return ops.mkldnn._reorder_convolution_weight(w, [pad, pad], [stride, stride], [1, 1], groups, torch.size(a))
        def onednn(self: __torch__.Operators,
            a: Tensor,
            w: Tensor,
            bias: Tensor,
            stride: int,
            pad: int,
            groups: int,
            n: int) -> List[Tensor]:
          xs = [a, a]
          out = [a, a]
          for i in range(n):
            _0 = ops.mkldnn._convolution_pointwise(xs[torch.__and__(i, 1)], w, bias, [pad, pad], [stride, stride], [1, 1], groups, "relu", annotate(List[Optional[number]], []), None)
            _1 = torch._set_item(out, torch.__and__(i, 1), _0)
          return out
        def codes(self: __torch__.Operators,
            a: Tensor) -> Tensor:
          return torch.int_repr(a)
        """;
}
