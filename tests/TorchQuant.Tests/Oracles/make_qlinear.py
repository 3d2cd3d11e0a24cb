"""Makes qlinear.pt: libtorch's own int8 linear operators for weights that the caller chooses. It was made with PyTorch 1.13.1 (Debian 12: apt-get install python3-torch).

    python3 make_qlinear.py

The engine here (qnnpack) only writes the archive: the libtorch that loads it packs the weights again for its own engine, so what a test
compares with is that libtorch's kernel (FBGEMM on x86). The archive in this folder also has methods that no test calls (timing loops, elementwise operators).
"""
import torch
from torch import Tensor, nn

torch.backends.quantized.engine = "qnnpack"


class QLinear(nn.Module):
    def __init__(self):
        super().__init__()
        weight = torch.quantize_per_channel(torch.randn(8, 8), torch.full((8,), 0.02), torch.zeros(8, dtype=torch.long), 0, torch.qint8)
        self.p = torch.ops.quantized.linear_prepack(weight, torch.zeros(8))

    @torch.jit.export
    def pack_int(self, w_int8: Tensor, scales: Tensor, bias: Tensor) -> Tensor:
        """Packs int8 weights [out, in] with a scale for each output and a float bias."""
        weight = torch._make_per_channel_quantized_tensor(w_int8, scales, torch.zeros(w_int8.size(0), dtype=torch.long), 0)
        self.p = torch.ops.quantized.linear_prepack(weight, bias)
        return weight

    @torch.jit.export
    def dynamic(self, x: Tensor, reduce_range: bool) -> Tensor:
        """quantized::linear_dynamic with the packed weights."""
        return torch.ops.quantized.linear_dynamic(x, self.p, reduce_range)

    def forward(self, qx: Tensor, scale: float, zp: int) -> Tensor:
        """quantized::linear with the packed weights."""
        return torch.ops.quantized.linear(qx, self.p, scale, zp)


torch.jit.script(QLinear()).save("qlinear.pt")
