"""Makes the oracles of the static LSTM and MultiheadAttention in this folder. They were made with PyTorch 1.13.1 (Debian 12: apt-get install python3-torch).

    python3 make_quantizable.py

static_lstm.pt, static_lstm_bidirectional.pt, static_attention.pt, static_attention_bias.pt
    A model that torch.ao.quantization prepared, calibrated and converted, and beside it the state of its int8 LSTM or attention as buffers: codes, scales, zero points and biases,
    "__" in the place of "." in their names. forward takes quint8 tensors and returns quint8 tensors.

The engine here (qnnpack) only writes the archive: the libtorch that loads it packs the weights again for its own engine, so what a test compares with is that libtorch's
kernels (FBGEMM on x86). In static_attention_bias.pt bias_v is bias_k: PyTorch quantizes bias_v with the range of bias_k by mistake, which then makes no difference.
"""
from typing import Dict, Tuple

import torch
from torch import Tensor, nn
from torch.ao import quantization as q

torch.backends.quantized.engine = "qnnpack"
# Weights in -64..63: FBGEMM adds two products in 16 bits on processors without VNNI, and 2 * 255 * 64 fits.
QCONFIG = q.QConfig(
    q.MinMaxObserver.with_args(dtype=torch.quint8),
    q.PerChannelMinMaxObserver.with_args(dtype=torch.qint8, qscheme=torch.per_channel_symmetric, quant_min=-64, quant_max=63))


class Holder(nn.Module):
    """Stubs around the module, for calibration."""

    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner
        self.quants = nn.ModuleList([q.QuantStub(), q.QuantStub(), q.QuantStub()])

    def forward(self, *inputs: Tensor):
        quantized = [quant(x) for quant, x in zip(self.quants, inputs)]
        return self.inner(quantized[0], (quantized[1], quantized[2])) if isinstance(self.inner, (nn.LSTM, torch.ao.nn.quantizable.LSTM)) else self.inner(*quantized)


class Lstm(nn.Module):
    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        y, state = self.inner(x)
        return y, state[0], state[1]

    @torch.jit.export
    def from_states(self, x: Tensor, h: Tensor, c: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        y, state = self.inner(x, (h, c))
        return y, state[0], state[1]


class Attention(nn.Module):
    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tuple[Tensor, Tensor]:
        output, weights = self.inner(query, key, value, None, True, mask)
        assert weights is not None
        return output, weights


def state_of(module: nn.Module) -> Dict[str, Tensor]:
    state: Dict[str, Tensor] = {}
    for name, part in module.named_modules():
        if isinstance(part, torch.ao.nn.quantized.Linear):
            weight, bias = part._weight_bias()
            state[name + ".weight"] = weight.int_repr()
            state[name + ".weight_scale"] = weight.q_per_channel_scales().float()
            state[name + ".bias"] = bias.detach()
        if isinstance(part, (torch.ao.nn.quantized.Linear, torch.ao.nn.quantized.QFunctional, torch.ao.nn.quantized.Quantize)):
            state[name + ".scale"] = torch.tensor([float(part.scale)])
            state[name + ".zero_point"] = torch.tensor([int(part.zero_point)], dtype=torch.int32)
    return state


def save(wrapper, inner: nn.Module, name: str, *calibration: Tensor) -> None:
    model = Holder(inner).eval()
    model.qconfig = QCONFIG
    prepared = q.prepare(model)
    prepared(*calibration)
    biases = {entry: value.detach().clone() for entry, value in inner.named_parameters() if entry in ("bias_k", "bias_v")}
    converted = q.convert(prepared).inner
    whole = wrapper(converted)
    for entry, value in {**state_of(converted), **biases}.items():
        whole.register_buffer("state__" + entry.replace(".", "__"), value)
    torch.jit.script(whole.eval()).save(name + ".pt")


if __name__ == "__main__":
    torch.manual_seed(191009)
    save(Lstm, nn.LSTM(16, 32, num_layers=2), "static_lstm", torch.randn(7, 4, 16), torch.randn(2, 4, 32) / 2, torch.randn(2, 4, 32))
    save(Lstm, nn.LSTM(16, 32, num_layers=2, bidirectional=True, batch_first=True), "static_lstm_bidirectional",
         torch.randn(4, 7, 16), torch.randn(4, 4, 32) / 2, torch.randn(4, 4, 32))
    save(Attention, nn.MultiheadAttention(32, 4), "static_attention", torch.randn(5, 2, 32), torch.randn(6, 2, 32), torch.randn(6, 2, 32))
    biased = nn.MultiheadAttention(32, 4, add_bias_kv=True, add_zero_attn=True, kdim=16, vdim=16)
    with torch.no_grad():
        biased.bias_v.copy_(biased.bias_k)
        biased.in_proj_bias.normal_()
    save(Attention, biased, "static_attention_bias", torch.randn(5, 2, 32), torch.randn(6, 2, 16), torch.randn(6, 2, 16))
