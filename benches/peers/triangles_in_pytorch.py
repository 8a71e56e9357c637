#!/usr/bin/env python3
"""The reference setting on triangles, written a second time: numpy draws the pictures, PyTorch trains.

It shares no code with the crate, so it tells a mistake in the engine from a property of the data.

    pip install torch numpy
    python benches/peers/triangles_in_pytorch.py [E|ES]
"""

import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SEEDS = [101, 102, 103, 104, 105]
Y, X = np.mgrid[0:32, 0:32] + 0.5


def rectangle(rng, half):
    cx, cy, angle = *rng.uniform(0, 32, 2), rng.uniform(0, np.pi)
    along = (X - cx) * np.cos(angle) + (Y - cy) * np.sin(angle)
    across = (Y - cy) * np.cos(angle) - (X - cx) * np.sin(angle)
    return (abs(along) <= half[0]) & (abs(across) <= half[1])


def distractor(rng):
    kind = rng.integers(3)
    if kind == 0:
        radius, (cx, cy) = rng.uniform(2, 5), rng.uniform(0, 32, 2)
        return (X - cx) ** 2 + (Y - cy) ** 2 <= radius**2
    return rectangle(rng, rng.uniform(2, 5, 2) if kind == 1 else (rng.uniform(4, 12), rng.uniform(0.5, 1.2)))


def triangle(rng, label):
    height = rng.uniform(8, 12)
    base = height * rng.uniform(0.9, 1.25)
    angle = np.pi * label + np.deg2rad(rng.uniform(-20, 20))
    corners = np.array([[0, -height / 2], [base / 2, height / 2], [-base / 2, height / 2]])
    corners = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners += 16 - (corners.max(0) + corners.min(0)) / 2 + rng.uniform(-3, 3, 2)
    inside = np.ones((32, 32), bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, 0)):
        inside &= (bx - ax) * (Y - ay) - (by - ay) * (X - ax) >= 0
    return inside


def pictures(seed, count, spurious):
    rng = np.random.default_rng([seed, count])
    values, masks, labels = [], [], []
    for i in range(count):
        label = i % 2
        picture = np.full((32, 32), rng.uniform(0, 0.35))
        for _ in range(rng.integers(6, 13)):
            picture[distractor(rng)] = rng.uniform(0.2, 1)
        inside = triangle(rng, label)
        picture[inside] = rng.uniform(0.55, 1)
        padded = np.pad(inside, 1)
        mask = np.any([padded[a : a + 32, b : b + 32] for a in range(3) for b in range(3)], 0)
        if spurious:
            corner = slice(0, 3) if label == 0 else slice(29, 32)
            picture[0:3, corner] = 1
            mask[0:3, corner] = False
        values.append(np.clip(picture + 0.35 * rng.normal(size=(32, 32)), 0, 1))
        masks.append(mask)
        labels.append(label)
    tensor = lambda list_: torch.tensor(np.array(list_)[:, None], dtype=torch.float32)
    return tensor(values) * 2 - 1, tensor(masks), torch.tensor(labels)


def accuracy(name, seed, two_stage):
    torch.manual_seed(seed)
    conv = lambda i, o, k: nn.Conv2d(i, o, k, 2, k // 2)
    f = nn.Sequential(conv(1, 16, 5), nn.ReLU(), conv(16, 32, 3), nn.ReLU(), conv(32, 32, 3), nn.ReLU(), nn.Flatten())
    c = nn.Linear(512, 2)
    for layer in [*f, c]:
        if hasattr(layer, "weight"):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    w, b = torch.ones(512, requires_grad=True), torch.zeros(512, requires_grad=True)
    m = (lambda h: w * h + b) if two_stage else (lambda h: h)
    weights = [*f.parameters(), *c.parameters()] + ([w, b] if two_stage else [])
    label = torch.optim.Adam(weights, 1e-3, weight_decay=1e-2)
    align = torch.optim.Adam([w, b], 1e-2)
    x, masks, y = pictures(seed, 500, name == "ES")
    for _ in range(40):
        for rows in torch.randperm(len(x)).split(50):
            label.zero_grad()
            F.cross_entropy(c(m(f(x[rows]))), y[rows]).backward()
            label.step()
            if two_stage:
                with torch.no_grad():
                    h, target = f(x[rows]), F.softmax(f(x[rows] * masks[rows]), 1)
                for _ in range(5):
                    align.zero_grad()
                    F.kl_div(F.log_softmax(m(h), 1), target, reduction="batchmean").backward()
                    align.step()
    with torch.no_grad():
        x, _, y = pictures(seed, 3000, False)
        return (c(m(f(x))).argmax(1) == y).float().mean().item()


if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else "ES"
    torch.set_num_threads(1)
    print(f"{name}, PyTorch {torch.__version__}, seeds {SEEDS}")
    for two_stage in (False, True):
        values = np.array([accuracy(name, seed, two_stage) for seed in SEEDS])
        each = " ".join(f"{v:.3f}" for v in values)
        print(f"{'two-stage, diagonal m' if two_stage else 'label-only':22} {values.mean():.3f} ± {values.std(ddof=1):.3f}   {each}", flush=True)
