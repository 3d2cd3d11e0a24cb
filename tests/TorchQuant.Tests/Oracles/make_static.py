"""Makes static.pt: libtorch's own statically quantized linear, convolution and transposed convolution for weights and options that the caller chooses. It was made with PyTorch 1.13.1
(Debian 12: apt-get install python3-torch).

    python3 make_static.py

The Python only writes the calls down: the libtorch that loads the archive packs the weights and computes, so what a test compares with is that libtorch's kernel.

codes: uint8, the input. x: its scale and zero point as float64 [2]. weight: int8. scales, zero_points: [1] per tensor, else one for each output channel. bias: float32 [out], or [0] for none.
out: scale and zero point of the output as float64 [2]. options: int64 [5, spatial dimensions]: stride, padding, dilation, output padding, groups (the same in all columns). The codes come back.
"""
from typing import List, Optional

import torch
from torch import Tensor, nn


def quantized_weight(weight: Tensor, scales: Tensor, zero_points: Tensor) -> Tensor:
    if scales.numel() == 1 and zero_points.numel() == 1:
        return torch._make_per_tensor_quantized_tensor(weight, float(scales[0].item()), int(zero_points[0].item()))
    return torch._make_per_channel_quantized_tensor(weight, scales, zero_points, 0)


def quantized_input(codes: Tensor, x: Tensor) -> Tensor:
    return torch._make_per_tensor_quantized_tensor(codes, float(x[0].item()), int(x[1].item()))


def optional(bias: Tensor) -> Optional[Tensor]:
    if bias.numel() == 0:
        return None
    return bias


class Static(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x

    @torch.jit.export
    def linear(self, codes: Tensor, x: Tensor, weight: Tensor, scales: Tensor, zero_points: Tensor, bias: Tensor, out: Tensor, relu: bool) -> Tensor:
        packed = torch.ops.quantized.linear_prepack(quantized_weight(weight, scales, zero_points), optional(bias))
        scale, zero_point = float(out[0].item()), int(out[1].item())
        if relu:
            return torch.ops.quantized.linear_relu(quantized_input(codes, x), packed, scale, zero_point).int_repr()
        return torch.ops.quantized.linear(quantized_input(codes, x), packed, scale, zero_point).int_repr()

    @torch.jit.export
    def conv1d(self, codes: Tensor, x: Tensor, weight: Tensor, scales: Tensor, zero_points: Tensor, bias: Tensor, out: Tensor, options: Tensor, relu: bool) -> Tensor:
        stride: List[int] = options[0].tolist()
        padding: List[int] = options[1].tolist()
        dilation: List[int] = options[2].tolist()
        packed = torch.ops.quantized.conv1d_prepack(
            quantized_weight(weight, scales, zero_points), optional(bias), stride, padding, dilation, int(options[4][0].item()))
        scale, zero_point = float(out[0].item()), int(out[1].item())
        if relu:
            return torch.ops.quantized.conv1d_relu(quantized_input(codes, x), packed, scale, zero_point).int_repr()
        return torch.ops.quantized.conv1d(quantized_input(codes, x), packed, scale, zero_point).int_repr()

    @torch.jit.export
    def conv2d(self, codes: Tensor, x: Tensor, weight: Tensor, scales: Tensor, zero_points: Tensor, bias: Tensor, out: Tensor, options: Tensor, relu: bool) -> Tensor:
        stride: List[int] = options[0].tolist()
        padding: List[int] = options[1].tolist()
        dilation: List[int] = options[2].tolist()
        packed = torch.ops.quantized.conv2d_prepack(
            quantized_weight(weight, scales, zero_points), optional(bias), stride, padding, dilation, int(options[4][0].item()))
        scale, zero_point = float(out[0].item()), int(out[1].item())
        if relu:
            return torch.ops.quantized.conv2d_relu(quantized_input(codes, x), packed, scale, zero_point).int_repr()
        return torch.ops.quantized.conv2d(quantized_input(codes, x), packed, scale, zero_point).int_repr()

    @torch.jit.export
    def conv3d(self, codes: Tensor, x: Tensor, weight: Tensor, scales: Tensor, zero_points: Tensor, bias: Tensor, out: Tensor, options: Tensor, relu: bool) -> Tensor:
        stride: List[int] = options[0].tolist()
        padding: List[int] = options[1].tolist()
        dilation: List[int] = options[2].tolist()
        packed = torch.ops.quantized.conv3d_prepack(
            quantized_weight(weight, scales, zero_points), optional(bias), stride, padding, dilation, int(options[4][0].item()))
        scale, zero_point = float(out[0].item()), int(out[1].item())
        if relu:
            return torch.ops.quantized.conv3d_relu(quantized_input(codes, x), packed, scale, zero_point).int_repr()
        return torch.ops.quantized.conv3d(quantized_input(codes, x), packed, scale, zero_point).int_repr()

    @torch.jit.export
    def conv_transpose1d(self, codes: Tensor, x: Tensor, weight: Tensor, scales: Tensor, zero_points: Tensor, bias: Tensor, out: Tensor, options: Tensor) -> Tensor:
        stride: List[int] = options[0].tolist()
        padding: List[int] = options[1].tolist()
        dilation: List[int] = options[2].tolist()
        output_padding: List[int] = options[3].tolist()
        packed = torch.ops.quantized.conv_transpose1d_prepack(
            quantized_weight(weight, scales, zero_points), optional(bias), stride, padding, output_padding, dilation, int(options[4][0].item()))
        return torch.ops.quantized.conv_transpose1d(quantized_input(codes, x), packed, float(out[0].item()), int(out[1].item())).int_repr()

    @torch.jit.export
    def conv_transpose2d(self, codes: Tensor, x: Tensor, weight: Tensor, scales: Tensor, zero_points: Tensor, bias: Tensor, out: Tensor, options: Tensor) -> Tensor:
        stride: List[int] = options[0].tolist()
        padding: List[int] = options[1].tolist()
        dilation: List[int] = options[2].tolist()
        output_padding: List[int] = options[3].tolist()
        packed = torch.ops.quantized.conv_transpose2d_prepack(
            quantized_weight(weight, scales, zero_points), optional(bias), stride, padding, output_padding, dilation, int(options[4][0].item()))
        return torch.ops.quantized.conv_transpose2d(quantized_input(codes, x), packed, float(out[0].item()), int(out[1].item())).int_repr()

    @torch.jit.export
    def conv_transpose3d(self, codes: Tensor, x: Tensor, weight: Tensor, scales: Tensor, zero_points: Tensor, bias: Tensor, out: Tensor, options: Tensor) -> Tensor:
        stride: List[int] = options[0].tolist()
        padding: List[int] = options[1].tolist()
        dilation: List[int] = options[2].tolist()
        output_padding: List[int] = options[3].tolist()
        packed = torch.ops.quantized.conv_transpose3d_prepack(
            quantized_weight(weight, scales, zero_points), optional(bias), stride, padding, output_padding, dilation, int(options[4][0].item()))
        return torch.ops.quantized.conv_transpose3d(quantized_input(codes, x), packed, float(out[0].item()), int(out[1].item())).int_repr()


torch.jit.script(Static()).save("static.pt")
