"""Makes torchvision_mobilenet_v2.pt: a small MobileNetV2 of torchvision's own, whose batch norms have seen two batches, scripted, in eval mode. It was made with torchvision 0.14.1
(Debian 12: apt-get install python3-torchvision).

    python3 make_torchvision.py
"""
import zipfile

import torch
from torchvision.models import MobileNetV2

FILE = "torchvision_mobilenet_v2.pt"

torch.manual_seed(1)
model = MobileNetV2(num_classes=3, width_mult=0.25, inverted_residual_setting=[[1, 16, 1, 1], [6, 24, 2, 2]])
for module in model.modules():
    if isinstance(module, torch.nn.BatchNorm2d):
        torch.nn.init.uniform_(module.weight, 0.5, 1.5)
        torch.nn.init.uniform_(module.bias, -0.5, 0.5)
with torch.no_grad():
    for _ in range(2):
        model(torch.randn(4, 3, 32, 32))
torch.jit.script(model.eval()).save("draft.pt")

# Without the places in torchvision's source, which are most of the file.
with zipfile.ZipFile("draft.pt") as draft, zipfile.ZipFile(FILE, "w") as final:
    for entry in draft.infolist():
        if not entry.filename.endswith(".debug_pkl"):
            final.writestr(zipfile.ZipInfo(entry.filename), draft.read(entry), entry.compress_type)
