"""Makes functional.pt: libtorch's int8 operators behind FloatFunctional that elementwise.pt does not have, as a TorchScript archive. It needs no PyTorch: an archive is a zip file of this code.

    python3 make_functional.py
"""
import zipfile

CODE = """class Functional(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  def forward(self: __torch__.Functional, x: Tensor) -> Tensor:
    return x
  def add_scalar(self: __torch__.Functional, q: Tensor, c: float) -> Tensor:
    return ops.quantized.add_scalar(q, c)
  def mul_scalar(self: __torch__.Functional, q: Tensor, c: float) -> Tensor:
    return ops.quantized.mul_scalar(q, c)
  def cat3(self: __torch__.Functional, a: Tensor, b: Tensor, c: Tensor, dim: int, scale: float, zp: int) -> Tensor:
    return ops.quantized.cat([a, b, c], dim, scale, zp)
"""

# The pickled module: __torch__.Functional with training = True and _is_full_backward_hook = None.
DATA = b"\x80\x02c__torch__\nFunctional\n)\x81}(X\x08\x00\x00\x00training\x88X\x16\x00\x00\x00_is_full_backward_hookNub."
NO_CONSTANTS = b"\x80\x02)."

with zipfile.ZipFile("functional.pt", "w") as archive:
    for name, content in (("data.pkl", DATA), ("code/__torch__.py", CODE), ("constants.pkl", NO_CONSTANTS), ("version", "3\n")):
        archive.writestr(zipfile.ZipInfo("functional/" + name, (1980, 1, 1, 0, 0, 0)), content)
