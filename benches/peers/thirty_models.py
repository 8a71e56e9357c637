#!/usr/bin/env python3
"""Thirty models of the reference setting in PyTorch, each with its own seed and its own order of one data set: a step of
stage 1 (cross-entropy, Adam on everything) and of stage 2 (five inner steps of the diagonal m on KL(softmax f(x') ||
softmax m(f(x)))), batch 50, three ways:

  eager   one model after the other
  graphs  one model after the other, each step a CUDA graph
  vmap    all models as one, by torch.func.vmap

    pip install torch
    python benches/peers/thirty_models.py [--device cuda] [--models 30] [--ways eager,graphs,vmap]

One line of JSON per way and stage. Batches are gathered from a data set on the device, as ours are.
"""

import argparse
import json
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

BATCH, INNER, PICTURES = 50, 5, 500
LABEL = dict(lr=1e-3, weight_decay=1e-2)
ALIGN = dict(lr=1e-2, weight_decay=0.0)


class Features(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = nn.Conv2d(1, 16, 5, 2, 2), nn.Conv2d(16, 32, 3, 2, 1), nn.Conv2d(32, 32, 3, 2, 1)

    def forward(self, x):
        for conv in (self.conv1, self.conv2, self.conv3):
            x = F.relu(conv(x))
        return x.flatten(1)


class Mapping(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(512)), nn.Parameter(torch.zeros(512))

    def forward(self, h):
        return self.weight * h + self.bias


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.features, self.mapping, self.output = Features(), Mapping(), nn.Linear(512, 2)

    def forward(self, x):
        return self.output(self.mapping(self.features(x)))


def divergence(mapping, h, target):
    return F.kl_div(F.log_softmax(mapping(h), 1), target, reduction="batchmean")


class Data:
    def __init__(self, device):
        self.x = torch.rand(PICTURES, 1, 32, 32, device=device)
        self.mask = (torch.rand(PICTURES, 1, 32, 32, device=device) < 0.3).float()
        self.y = (torch.arange(PICTURES) % 2).to(device)


class One:
    """A model by itself; `capturable` for CUDA graphs."""

    def __init__(self, seed, data, device, capturable):
        torch.manual_seed(seed)
        self.model, self.data = Classifier().to(device), data
        self.rows = torch.randperm(PICTURES)[:BATCH].to(device)
        self.label = torch.optim.Adam(self.model.parameters(), **LABEL, capturable=capturable)
        self.align = torch.optim.Adam(self.model.mapping.parameters(), **ALIGN, capturable=capturable)

    def stage1(self):
        self.label.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.model(self.data.x[self.rows]), self.data.y[self.rows])
        loss.backward()
        self.label.step()
        return loss

    def stage2(self):
        x, mask = self.data.x[self.rows], self.data.mask[self.rows]
        with torch.no_grad():
            h, target = self.model.features(x), F.softmax(self.model.features(x * mask), 1)
        for _ in range(INNER):
            self.align.zero_grad(set_to_none=True)
            loss = divergence(self.model.mapping, h, target)
            loss.backward()
            self.align.step()
        return loss


class Adam:
    """Over stacked parameters; the moments of all models in one tensor each."""

    def __init__(self, parameters, lr, weight_decay):
        self.lr, self.decay, self.count = lr, weight_decay, 0
        self.m = {name: torch.zeros_like(p) for name, p in parameters.items()}
        self.v = {name: torch.zeros_like(p) for name, p in parameters.items()}

    def step(self, parameters, gradients):
        self.count += 1
        names = list(gradients)
        p, g = [parameters[n] for n in names], [gradients[n] for n in names]
        m, v = [self.m[n] for n in names], [self.v[n] for n in names]
        if self.decay:
            g = torch._foreach_add(g, p, alpha=self.decay)
        torch._foreach_lerp_(m, g, 0.1)
        torch._foreach_mul_(v, 0.999)
        torch._foreach_addcmul_(v, g, g, 0.001)
        root = torch._foreach_sqrt(v)
        torch._foreach_div_(root, (1 - 0.999**self.count) ** 0.5)
        torch._foreach_add_(root, 1e-8)
        torch._foreach_addcdiv_(p, m, root, -self.lr / (1 - 0.9**self.count))


class Stacked:
    """All models as one."""

    def __init__(self, count, data, device):
        models = []
        rows = []
        for seed in range(count):
            torch.manual_seed(seed)
            models.append(Classifier().to(device))
            rows.append(torch.randperm(PICTURES)[:BATCH])
        self.data, self.rows = data, torch.stack(rows).to(device)
        parameters, _ = stack_module_state(models)
        self.all = {name: p.detach() for name, p in parameters.items()}
        part = lambda prefix: {n[len(prefix) :]: p for n, p in self.all.items() if n.startswith(prefix)}
        self.features, self.mapping = part("features."), part("mapping.")
        self.label, self.align = Adam(self.all, **LABEL), Adam(self.mapping, **ALIGN)
        whole, features, mapping = Classifier().to(device), Features().to(device), Mapping().to(device)
        loss = lambda p, x, y: F.cross_entropy(functional_call(whole, p, (x,)), y)
        align = lambda p, h, target: divergence(lambda z: functional_call(mapping, p, (z,)), h, target)
        self.gradient1 = vmap(grad_and_value(loss))
        self.gradient2 = vmap(grad_and_value(align))
        self.forward = vmap(lambda p, x: functional_call(features, p, (x,)))

    def stage1(self):
        gradients, loss = self.gradient1(self.all, self.data.x[self.rows], self.data.y[self.rows])
        self.label.step(self.all, gradients)
        return loss

    def stage2(self):
        x, mask = self.data.x[self.rows], self.data.mask[self.rows]
        with torch.no_grad():
            h, target = self.forward(self.features, x), F.softmax(self.forward(self.features, x * mask), 2)
        for _ in range(INNER):
            gradients, loss = self.gradient2(self.mapping, h, target)
            self.align.step(self.mapping, gradients)
        return loss


def captured(step):
    """A step as a CUDA graph, after the warm-up that capturing asks for."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def time_steps(step, device, samples, budget):
    def once(times):
        begin = time.perf_counter()
        for _ in range(times):
            step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - begin) / times

    for _ in range(3):
        last = once(1)
    times, found, begin = max(1, min(200, int(0.1 / last))), [], time.perf_counter()
    while len(found) < samples and (len(found) < 3 or time.perf_counter() - begin < budget):
        found.append(once(times))
    quartiles = statistics.quantiles(found, n=4, method="inclusive")
    return {"median": statistics.median(found), "min": min(found), "quartiles": [quartiles[0], quartiles[2]], "samples": len(found)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--models", type=int, default=30)
    parser.add_argument("--ways", default="eager,graphs,vmap")
    parser.add_argument("--samples", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--budget", type=float, default=5.0)
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    torch.set_num_threads(arguments.threads)
    # Full f32 products, as ours are.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    data = Data(device)
    name = torch.cuda.get_device_name() if device.type == "cuda" else f"cpu, {arguments.threads} threads"
    for way in arguments.ways.split(","):
        if way == "graphs" and device.type != "cuda":
            continue
        for stage in ("stage1", "stage2"):
            if way == "vmap":
                stacked = Stacked(arguments.models, data, device)
                step = getattr(stacked, stage)
            else:
                models = [One(seed, data, device, way == "graphs") for seed in range(arguments.models)]
                steps = [getattr(one, stage) for one in models]
                steps = [captured(step) for step in steps] if way == "graphs" else steps

                def step(steps=steps):
                    for one in steps:
                        loss = one()
                    return loss

            loss = step()
            assert loss is None or torch.isfinite(loss).all().item(), "a timing of nonsense is thrown away"
            seconds = time_steps(step, device, arguments.samples, arguments.budget)
            line = {"peer": f"PyTorch {torch.__version__}, {name}", "way": way, "stage": stage, "models": arguments.models}
            print(json.dumps({**line, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
