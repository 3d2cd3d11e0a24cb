"""Makes the recurrent oracles of this folder. They were made with PyTorch 1.13.1 (Debian 12: apt-get install python3-torch).

    python3 recurrent.py

lstm.pt, lstm_bidirectional.pt, lstm_per_channel.pt, gru.pt, gru_bidirectional.pt, lstm_cell.pt, gru_cell.pt, rnn_cell_tanh.pt, rnn_cell_relu.pt
    A small model that torch.quantization.quantize_dynamic converted, and beside it the float weights as buffers under the names that the float
    module gives them. forward(x, state...) returns the output and the final states, flattened, one after the other.
recurrent.pt
    The same operators for weights, sizes and options that the caller chooses, int8 (scales given) and float16.

The engine here (qnnpack) only writes the archive: the libtorch that loads it packs the weights again for its own engine, so what a test
compares with is that libtorch's kernel (FBGEMM on x86).
"""
from typing import List

import torch
from torch import Tensor, nn

torch.backends.quantized.engine = "qnnpack"


class Recurrent(nn.Module):
    """A quantized LSTM or GRU with the float weights that it was made from."""

    def __init__(self, float_module: nn.Module, quantized: nn.Module):
        super().__init__()
        self.quantized = quantized
        for name, parameter in float_module.named_parameters():
            self.register_buffer(name, parameter.detach().clone())


class Lstm(Recurrent):
    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> Tensor:
        y, state = self.quantized(x, (h, c))
        return torch.cat([y.flatten(), state[0].flatten(), state[1].flatten()])


class Gru(Recurrent):
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        y, hn = self.quantized(x, h)
        return torch.cat([y.flatten(), hn.flatten()])


class LstmCell(Recurrent):
    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> Tensor:
        hn, cn = self.quantized(x, (h, c))
        return torch.cat([hn.flatten(), cn.flatten()])


class Cell(Recurrent):
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.quantized(x, h).flatten()


def int8_cell(weights: List[Tensor], scales: Tensor, i: int, reduce_range: bool):
    w_ih, w_hh, b_ih, b_hh = weights[4 * i], weights[4 * i + 1], weights[4 * i + 2], weights[4 * i + 3]
    ih = torch.ops.quantized.linear_prepack(torch.quantize_per_tensor(w_ih, float(scales[2 * i].item()), 0, torch.qint8), b_ih)
    hh = torch.ops.quantized.linear_prepack(torch.quantize_per_tensor(w_hh, float(scales[2 * i + 1].item()), 0, torch.qint8), b_hh)
    return torch.ops.quantized.make_quantized_cell_params_dynamic(ih, hh, b_ih, b_hh, reduce_range)


def float16_cell(weights: List[Tensor], i: int):
    ih = torch.ops.quantized.linear_prepack_fp16(weights[4 * i], weights[4 * i + 2])
    hh = torch.ops.quantized.linear_prepack_fp16(weights[4 * i + 1], weights[4 * i + 3])
    return torch.ops.quantized.make_quantized_cell_params_fp16(ih, hh)


class AnyOptions(nn.Module):
    """weights: w_ih, w_hh, b_ih, b_hh of each layer and direction. scales: that of w_ih and that of w_hh of each layer and direction."""

    def forward(self, x: Tensor) -> Tensor:
        return x

    @torch.jit.export
    def lstm_int8(self, x: Tensor, h: Tensor, c: Tensor, weights: List[Tensor], scales: Tensor,
                  layers: int, bidirectional: bool, batch_first: bool, reduce_range: bool) -> Tensor:
        params = [int8_cell(weights, scales, i, reduce_range) for i in range(len(weights) // 4)]
        y, hn, cn = torch.quantized_lstm(x, [h, c], params, True, layers, 0.0, False, bidirectional, batch_first, dtype=torch.qint8, use_dynamic=True)
        return torch.cat([y.flatten(), hn.flatten(), cn.flatten()])

    @torch.jit.export
    def lstm_int8_packed(self, data: Tensor, batch_sizes: Tensor, h: Tensor, c: Tensor, weights: List[Tensor], scales: Tensor,
                         layers: int, bidirectional: bool, reduce_range: bool) -> Tensor:
        params = [int8_cell(weights, scales, i, reduce_range) for i in range(len(weights) // 4)]
        y, hn, cn = torch.quantized_lstm(data, batch_sizes, [h, c], params, True, layers, 0.0, False, bidirectional, dtype=torch.qint8, use_dynamic=True)
        return torch.cat([y.flatten(), hn.flatten(), cn.flatten()])

    @torch.jit.export
    def gru_int8(self, x: Tensor, h: Tensor, weights: List[Tensor], scales: Tensor,
                 layers: int, bidirectional: bool, batch_first: bool, reduce_range: bool) -> Tensor:
        params = [int8_cell(weights, scales, i, reduce_range) for i in range(len(weights) // 4)]
        y, hn = torch.quantized_gru(x, h, params, True, layers, 0.0, False, bidirectional, batch_first)
        return torch.cat([y.flatten(), hn.flatten()])

    @torch.jit.export
    def gru_int8_packed(self, data: Tensor, batch_sizes: Tensor, h: Tensor, weights: List[Tensor], scales: Tensor,
                        layers: int, bidirectional: bool, reduce_range: bool) -> Tensor:
        params = [int8_cell(weights, scales, i, reduce_range) for i in range(len(weights) // 4)]
        y, hn = torch.quantized_gru(data, batch_sizes, h, params, True, layers, 0.0, False, bidirectional)
        return torch.cat([y.flatten(), hn.flatten()])

    @torch.jit.export
    def lstm_float16(self, x: Tensor, h: Tensor, c: Tensor, weights: List[Tensor], layers: int, bidirectional: bool, batch_first: bool) -> Tensor:
        params = [float16_cell(weights, i) for i in range(len(weights) // 4)]
        y, hn, cn = torch.quantized_lstm(x, [h, c], params, True, layers, 0.0, False, bidirectional, batch_first, dtype=torch.float16, use_dynamic=True)
        return torch.cat([y.flatten(), hn.flatten(), cn.flatten()])

    @torch.jit.export
    def gru_float16(self, x: Tensor, h: Tensor, weights: List[Tensor], layers: int, bidirectional: bool, batch_first: bool) -> Tensor:
        params = [float16_cell(weights, i) for i in range(len(weights) // 4)]
        y, hn = torch.quantized_gru(x, h, params, True, layers, 0.0, False, bidirectional, batch_first)
        return torch.cat([y.flatten(), hn.flatten()])


def quantize(float_module: nn.Module, qconfig=None) -> nn.Module:
    spec = {type(float_module)} if qconfig is None else {type(float_module): qconfig}
    return torch.quantization.quantize_dynamic(nn.Sequential(float_module), spec, dtype=torch.qint8)[0]


def save(wrapper, float_module: nn.Module, name: str, qconfig=None) -> None:
    torch.jit.script(wrapper(float_module, quantize(float_module, qconfig)).eval()).save(name + ".pt")


if __name__ == "__main__":
    torch.manual_seed(191009)
    save(Lstm, nn.LSTM(13, 9, num_layers=2), "lstm")
    save(Lstm, nn.LSTM(13, 9, num_layers=2, bidirectional=True, batch_first=True), "lstm_bidirectional")
    save(Lstm, nn.LSTM(13, 9, num_layers=2), "lstm_per_channel", torch.quantization.per_channel_dynamic_qconfig)
    save(Gru, nn.GRU(13, 9, num_layers=2), "gru")
    save(Gru, nn.GRU(13, 9, num_layers=2, bidirectional=True, batch_first=True), "gru_bidirectional")
    save(LstmCell, nn.LSTMCell(13, 9), "lstm_cell")
    save(Cell, nn.GRUCell(13, 9), "gru_cell")
    save(Cell, nn.RNNCell(13, 9), "rnn_cell_tanh")
    save(Cell, nn.RNNCell(13, 9, nonlinearity="relu"), "rnn_cell_relu")
    torch.jit.script(AnyOptions()).save("recurrent.pt")
