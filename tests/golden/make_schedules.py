#!/usr/bin/env python3
"""Writes schedules.json: the learning rates of PyTorch's schedulers, one per step, in float64."""

import json
import pathlib
from hashlib import sha256

import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR, StepLR, LambdaLR

CASES = [  # schedule, rate, epochs, steps per epoch, epochs of warm-up
    ("constant", 0.01, 3, 4, 0), ("constant", 0.01, 3, 4, 1.5), ("cosine", 0.001, 5, 7, 0), ("cosine", 0.3, 4, 10, 1),
    ("linear", 0.02, 6, 3, 0), ("linear", 0.02, 6, 3, 2), ("step=2:0.5", 0.1, 7, 4, 0), ("step=1:0.1", 0.1, 4, 5, 0.6),
]


def after(optimizer, schedule, steps, per_epoch):
    if schedule == "cosine":
        return CosineAnnealingLR(optimizer, T_max=steps)
    if schedule == "linear":
        return LinearLR(optimizer, start_factor=1.0, end_factor=0.0, total_iters=steps)
    if schedule.startswith("step="):
        every, factor = schedule.removeprefix("step=").split(":")
        return StepLR(optimizer, step_size=int(every) * per_epoch, gamma=float(factor))
    return LambdaLR(optimizer, lambda step: 1.0)


def rates(schedule, rate, epochs, per_epoch, warmup):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    steps, warm = epochs * per_epoch, round(warmup * per_epoch)
    if warm:
        begin = LinearLR(optimizer, start_factor=1 / warm, total_iters=max(warm - 1, 1))
        scheduler = SequentialLR(optimizer, [begin, after(optimizer, schedule, steps - warm, per_epoch)], [warm])
    else:
        scheduler = after(optimizer, schedule, steps, per_epoch)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


keys = ("schedule", "rate", "epochs", "steps_per_epoch", "warmup")
cases = [dict(zip(keys, case)) | {"rates": rates(*case)} for case in CASES]
path = pathlib.Path(__file__)
head = {"torch": torch.__version__.split("+")[0], "script_sha256": sha256(path.read_bytes()).hexdigest()}
path.with_name("schedules.json").write_text(json.dumps(head | {"cases": cases}, indent=1) + "\n")
