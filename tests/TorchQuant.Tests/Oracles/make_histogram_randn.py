"""Makes histogram_randn.bin: the 10 000 standard normal numbers of the golden values of HistogramObserver, as little-endian float32.

    python3 make_histogram_randn.py

It was made with PyTorch 1.13.1 (Debian 12: apt-get install python3-torch); its generator's stream for a seed is not promised to stay the same, hence the file.
"""
import torch

torch.manual_seed(0)
torch.randn(10000).numpy().astype("<f4").tofile("histogram_randn.bin")
