#!/usr/bin/env python3
"""The peer step in PyTorch: 64x1x32x32, three 3x3 convolutions (16, 32, 64) with ReLU and 2x2 max pool, linear to 1024
with ReLU, linear to 2, cross-entropy, SGD with momentum. One line of JSON.

    pip install torch
    python benches/peers/step_in_pytorch.py --threads 1 [--device cpu|cuda] [--samples 15]

One process per measurement: the first step and the peak memory are then its own.
"""

import argparse
import json
import resource
import statistics
import time

arguments = argparse.ArgumentParser()
arguments.add_argument("--threads", type=int, default=1)
arguments.add_argument("--device", default="cpu")
arguments.add_argument("--samples", type=int, default=15)
arguments = arguments.parse_args()

import torch  # noqa: E402  the import is no part of the first step
import torch.nn as nn  # noqa: E402

torch.set_num_threads(arguments.threads)
torch.manual_seed(1)
device = torch.device(arguments.device)


def wait():
    if device.type == "cuda":
        torch.cuda.synchronize()


started = time.perf_counter()
blocks = [
    layer
    for i, o in ((1, 16), (16, 32), (32, 64))
    for layer in (nn.Conv2d(i, o, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
]
model = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 2)).to(device)
optimizer = torch.optim.SGD(model.parameters(), 1e-4, momentum=0.9)
pictures = torch.rand(64, 1, 32, 32, device=device)
labels = (torch.arange(64) % 2).to(device)


def step():
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(pictures), labels)
    loss.backward()
    optimizer.step()
    return loss


step()
wait()
first = time.perf_counter() - started

# Warm up to a plateau, then samples of several steps each, long enough for the clock.
last = first
for _ in range(10):
    begin = time.perf_counter()
    step()
    wait()
    now = time.perf_counter() - begin
    if abs(now - last) <= 0.05 * last:
        break
    last = now
times = max(1, min(200, int(0.1 / now)))
samples = []
for _ in range(arguments.samples):
    begin = time.perf_counter()
    for _ in range(times):
        loss = step()
    wait()
    samples.append((time.perf_counter() - begin) / times)
assert torch.isfinite(loss).item(), "a timing of nonsense is thrown away"

quartiles = statistics.quantiles(samples, n=4, method="inclusive")
where = f"{arguments.threads} thread{'s' * (arguments.threads > 1)}" if device.type == "cpu" else torch.cuda.get_device_name()
print(
    json.dumps(
        {
            "peer": f"PyTorch {torch.__version__}, {device.type}, {where}",
            "key": f"pytorch-{device.type}-{arguments.threads}" if device.type == "cpu" else "pytorch-cuda",
            "seconds": {
                "median": statistics.median(samples),
                "min": min(samples),
                "quartiles": [quartiles[0], quartiles[2]],
                "samples": len(samples),
            },
            "first": first,
            # Kibibytes on Linux.
            "peak_memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
    )
)
