namespace TorchQuant.Benchmarks.Peers.Torch;

/// <summary>libtorch's LSTM and GRU as a script. The index i &amp; 1 keeps the compiler from computing a result once for all turns.</summary>
internal static class RecurrentScript
{
    public static readonly IReadOnlyList<(string Name, string Type)> Attributes = [("cells", "List[__torch__.torch.classes.rnn.CellParamsBase]")];

    public const string Methods = """
        def forward(self: __torch__.Operators,
            x: Tensor) -> Tensor:
          return x
        def pack(self: __torch__.Operators,
            codes: List[Tensor],
            scales: Tensor) -> Tensor:
          cells = annotate(List[__torch__.torch.classes.rnn.CellParamsBase], [])
          layers = torch.floordiv(torch.len(codes), 4)
          for i in range(layers):
            _0 = torch._make_per_tensor_quantized_tensor(codes[torch.mul(4, i)], float(torch.item(torch.select(scales, 0, torch.mul(2, i)))), 0)
            _1 = torch._make_per_tensor_quantized_tensor(codes[torch.add(torch.mul(4, i), 1)], float(torch.item(torch.select(scales, 0, torch.add(torch.mul(2, i), 1)))), 0)
            b_ih = codes[torch.add(torch.mul(4, i), 2)]
            b_hh = codes[torch.add(torch.mul(4, i), 3)]
            ih = ops.quantized.linear_prepack(_0, b_ih)
            hh = ops.quantized.linear_prepack(_1, b_hh)
            _2 = torch.append(cells, ops.quantized.make_quantized_cell_params_dynamic(ih, hh, b_ih, b_hh, True))
          self.cells = cells
          return scales
        def lstm_int8(self: __torch__.Operators,
            x: Tensor,
            h: Tensor,
            layers: int,
            n: int) -> List[Tensor]:
          xs = [x, x]
          out = [x, x]
          cells = unchecked_cast(List[__torch__.torch.classes.rnn.CellParamsBase], self.cells)
          for i in range(n):
            y, hn, cn = torch.quantized_lstm(xs[torch.__and__(i, 1)], [h, h], cells, True, layers, 0., False, False, False, dtype=12, use_dynamic=True)
            _0 = torch._set_item(out, torch.__and__(i, 1), y)
          return out
        def gru_int8(self: __torch__.Operators,
            x: Tensor,
            h: Tensor,
            layers: int,
            n: int) -> List[Tensor]:
          xs = [x, x]
          out = [x, x]
          cells = unchecked_cast(List[__torch__.torch.classes.rnn.CellParamsBase], self.cells)
          for i in range(n):
            y, hn = torch.quantized_gru(xs[torch.__and__(i, 1)], h, cells, True, layers, 0., False, False, False)
            _0 = torch._set_item(out, torch.__and__(i, 1), y)
          return out
        def lstm_float(self: __torch__.Operators,
            x: Tensor,
            h: Tensor,
            weights: List[Tensor],
            layers: int,
            n: int) -> List[Tensor]:
          xs = [x, x]
          out = [x, x]
          for i in range(n):
            y, hn, cn = torch.lstm(xs[torch.__and__(i, 1)], [h, h], weights, True, layers, 0., False, False, False)
            _0 = torch._set_item(out, torch.__and__(i, 1), y)
          return out
        def gru_float(self: __torch__.Operators,
            x: Tensor,
            h: Tensor,
            weights: List[Tensor],
            layers: int,
            n: int) -> List[Tensor]:
          xs = [x, x]
          out = [x, x]
          for i in range(n):
            y, hn = torch.gru(xs[torch.__and__(i, 1)], h, weights, True, layers, 0., False, False, False)
            _0 = torch._set_item(out, torch.__and__(i, 1), y)
          return out
        """;
}
