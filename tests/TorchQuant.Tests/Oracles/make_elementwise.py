"""Makes elementwise.pt: libtorch's own int8 elementwise operators, as a TorchScript archive. It needs no PyTorch: an archive is a zip file of this code.

    python3 make_elementwise.py
"""
import zipfile

CODE = """class Elementwise(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  def forward(self: __torch__.Elementwise, x: Tensor) -> Tensor:
    return x
  def make_q(self: __torch__.Elementwise, x_uint8: Tensor, scale: float, zp: int) -> Tensor:
    return torch._make_per_tensor_quantized_tensor(x_uint8, scale, zp)
  def add(self: __torch__.Elementwise, a: Tensor, b: Tensor, scale: float, zp: int) -> Tensor:
    return ops.quantized.add(a, b, scale, zp)
  def add_relu(self: __torch__.Elementwise, a: Tensor, b: Tensor, scale: float, zp: int) -> Tensor:
    return ops.quantized.add_relu(a, b, scale, zp)
  def mul(self: __torch__.Elementwise, a: Tensor, b: Tensor, scale: float, zp: int) -> Tensor:
    return ops.quantized.mul(a, b, scale, zp)
  def mul_relu(self: __torch__.Elementwise, a: Tensor, b: Tensor, scale: float, zp: int) -> Tensor:
    return ops.quantized.mul_relu(a, b, scale, zp)
  def cat(self: __torch__.Elementwise, a: Tensor, b: Tensor, dim: int, scale: float, zp: int) -> Tensor:
    return ops.quantized.cat([a, b], dim, scale, zp)
  def batch_norm2d(self: __torch__.Elementwise, q: Tensor, w: Tensor, b: Tensor, mean: Tensor, var: Tensor, eps: float, scale: float, zp: int) -> Tensor:
    return ops.quantized.batch_norm2d(q, w, b, mean, var, eps, scale, zp)
  def batch_norm2d_relu(self: __torch__.Elementwise, q: Tensor, w: Tensor, b: Tensor, mean: Tensor, var: Tensor, eps: float, scale: float, zp: int) -> Tensor:
    return ops.quantized.batch_norm2d_relu(q, w, b, mean, var, eps, scale, zp)
  def batch_norm3d(self: __torch__.Elementwise, q: Tensor, w: Tensor, b: Tensor, mean: Tensor, var: Tensor, eps: float, scale: float, zp: int) -> Tensor:
    return ops.quantized.batch_norm3d(q, w, b, mean, var, eps, scale, zp)
  def batch_norm3d_relu(self: __torch__.Elementwise, q: Tensor, w: Tensor, b: Tensor, mean: Tensor, var: Tensor, eps: float, scale: float, zp: int) -> Tensor:
    return ops.quantized.batch_norm3d_relu(q, w, b, mean, var, eps, scale, zp)
"""

# The pickled module: __torch__.Elementwise with training = True and _is_full_backward_hook = None.
DATA = b"\x80\x02c__torch__\nElementwise\n)\x81}(X\x08\x00\x00\x00training\x88X\x16\x00\x00\x00_is_full_backward_hookNub."
NO_CONSTANTS = b"\x80\x02)."

with zipfile.ZipFile("elementwise.pt", "w") as archive:
    for name, content in (("data.pkl", DATA), ("code/__torch__.py", CODE), ("constants.pkl", NO_CONSTANTS), ("version", "3\n")):
        archive.writestr(zipfile.ZipInfo("elementwise/" + name, (1980, 1, 1, 0, 0, 0)), content)
