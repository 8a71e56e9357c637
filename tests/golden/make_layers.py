#!/usr/bin/env python3
"""Writes layers.safetensors: loss and gradients of small networks with normalisations and residual blocks by PyTorch.

Float64 throughout, from inputs that float32 holds exactly, in PyTorch's own layout and with its own modules; weights and
gradients are stored in the engine's: convolution weights [K_h, K_w, C_in, C_out], linear weights [D_in, D_out].
"""

import pathlib

import numpy as np
import torch
from torch import nn

from make_grad_reg import to_ours
from make_goldens import write

PICTURES, HEIGHT, WIDTH, CHANNELS, CLASSES = 5, 9, 7, 2, 3

class Residual(nn.Module):
    def __init__(self, layers, shortcut=None):
        super().__init__()
        self.layers, self.shortcut = nn.Sequential(*layers), shortcut or nn.Identity()
    def forward(self, x):
        return self.layers(x) + self.shortcut(x)

def group():
    return [nn.Conv2d(CHANNELS, 6, 3, 1, 1), nn.GroupNorm(3, 6), nn.ReLU()]

def batch():
    return [nn.Conv2d(CHANNELS, 6, 3, 1, 1), nn.BatchNorm2d(6), nn.ReLU()]

def residual():
    layers = [nn.Conv2d(6, 8, 3, 2, 1), nn.GroupNorm(4, 8), nn.ReLU(), nn.Conv2d(8, 8, 3, 1, 1), nn.GroupNorm(2, 8)]
    same = [nn.Conv2d(8, 8, 3, 1, 1), nn.GroupNorm(8, 8)]
    return [nn.Conv2d(CHANNELS, 6, 3, 1, 1), nn.GroupNorm(3, 6), nn.ReLU(),
            Residual(layers, nn.Conv2d(6, 8, 1, 2)), nn.ReLU(), Residual(same), nn.ReLU()]

def main():
    random = np.random.RandomState(7)
    pixels = random.randint(0, 256, (PICTURES, HEIGHT, WIDTH, CHANNELS)).astype(np.uint8)
    labels = random.randint(0, CLASSES, PICTURES)
    tensors = {"data/pixels": pixels, "data/labels": labels.astype(np.uint32)}
    x = torch.from_numpy(pixels / 255.0 * 2.0 - 1.0).permute(0, 3, 1, 2)
    for name, features in [("group", group()), ("batch", batch()), ("residual", residual())]:
        width = 6 if name != "residual" else 8
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, CLASSES)]
        model = nn.ModuleDict({"features": nn.Sequential(*features), "classifier": nn.Sequential(*head)}).double()
        ours = lambda key: key.replace("classifier.2", "classifier.1")  # flattening is no layer
        for key, p in model.named_parameters():
            start = random.randn(*p.shape) / max(1, p[0].numel()) ** 0.5
            start = start + 1 if p.dim() == 1 and key.endswith("weight") else start
            p.data = torch.from_numpy(start.astype(np.float32).astype(np.float64))
            tensors[f"{name}/init/{ours(key)}"] = to_ours(p.data).float()
        run = lambda: model["classifier"](model["features"](x))
        logits = run()
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(labels))
        loss.backward()
        tensors |= {f"{name}/logits": logits, f"{name}/loss": loss.reshape(1)}
        tensors |= {f"{name}/gradient/{ours(key)}": to_ours(p.grad) for key, p in model.named_parameters()}
        for key, value in model.named_buffers():
            if value.dim():
                tensors[f"{name}/after/{key}"] = value.clone()
        model.eval()
        tensors[f"{name}/evaluated"] = run()
    write("layers.safetensors", tensors, "loss, gradients and running statistics of one batch", ["data/pixels", "data/labels"])

if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    main()
