#!/usr/bin/env python3
"""Writes grad_reg.safetensors: the penalty of Ross et al. (2017) by PyTorch's double backward; README.md says what it holds.

Float64 throughout, from inputs that float32 holds exactly, in PyTorch's own layout; weights and gradients are stored in the
engine's: convolution weights [K_h, K_w, C_in, C_out], linear weights [D_in, D_out], the mapping in (h, w, c) order.
"""

import json
import pathlib
import struct
from hashlib import sha256

import numpy as np
import torch
import torch.nn.functional as F

STEPS, BATCH, PICTURES, SIZE, CLASSES, LAMBDA = 5, 6, 12, 16, 3, 0.75
MAP = (6, 4, 4)  # f(x): channels, height, width
LAYERS = {  # name: shape in PyTorch's layout
    "features.0": (4, 1, 5, 5), "features.3": (6, 4, 3, 3), "mapping": MAP,
    "classifier.1": (5, 6), "classifier.3": (CLASSES, 5)}

def network(p, x):
    """conv 5x5 stride 2, ReLU, max pool 2, conv 3x3, ReLU; diagonal mapping; average pool, linear, ReLU, output."""
    x = F.max_pool2d(F.relu(F.conv2d(x, p["features.0.weight"], p["features.0.bias"], 2, 2)), 2)
    x = F.relu(F.conv2d(x, p["features.3.weight"], p["features.3.bias"], 1, 1))
    x = (x * p["mapping.weight"] + p["mapping.bias"]).mean((2, 3))
    x = F.relu(F.linear(x, p["classifier.1.weight"], p["classifier.1.bias"]))
    return F.linear(x, p["classifier.3.weight"], p["classifier.3.bias"])

def to_ours(t):
    if t.dim() == 3:
        return t.permute(1, 2, 0).flatten()
    return {4: lambda: t.permute(2, 3, 1, 0), 2: lambda: t.T, 1: lambda: t}[t.dim()]()

def losses(p, x, outside, labels, explained):
    """Cross-entropy, and the mean over the explained pictures of the squared input gradient outside of the mask."""
    x = x.clone().requires_grad_()
    logits = network(p, x)
    summed = F.log_softmax(logits, dim=1).sum(1)[explained].sum()
    g, = torch.autograd.grad(summed, x, create_graph=True)
    penalty = ((outside * g)[explained] ** 2).sum() / max(int(explained.sum()), 1)
    return F.cross_entropy(logits, labels), penalty

def main():
    rng = np.random.RandomState(31)
    pixels, masks = rng.randint(0, 256, (PICTURES, SIZE, SIZE)), np.zeros((PICTURES, SIZE, SIZE), np.int64)
    for i in range(PICTURES):
        top, left = rng.randint(0, SIZE - 7, 2)
        masks[i, top:top + 7, left:left + 7] = 255
    explained, labels = np.arange(PICTURES) % 3 != 1, rng.randint(0, CLASSES, PICTURES)
    batches = np.stack([rng.permutation(PICTURES)[:BATCH] for _ in range(STEPS)])
    assert all(0 < explained[batch].sum() < BATCH for batch in batches)
    p = {}
    for name, shape in LAYERS.items():
        fan_in = int(np.prod(shape[1:]))
        start = 1 + rng.randn(*shape) / 4 if name == "mapping" else rng.randn(*shape) * (2 / fan_in) ** 0.5
        p[f"{name}.weight"] = torch.from_numpy(start.astype(np.float32).astype(np.float64))
        bias = rng.randn(*(shape if name == "mapping" else shape[:1])) / 8
        p[f"{name}.bias"] = torch.from_numpy(bias.astype(np.float32).astype(np.float64))
    tensors = {"data/pixels": pixels.astype(np.uint8), "data/masks": masks.astype(np.uint8),
               "data/labels": labels.astype(np.uint32), "data/explained": explained.astype(np.uint32),
               "data/batches": batches.astype(np.uint32)}
    tensors |= {f"init/{k}": to_ours(v).float() for k, v in p.items()}
    inputs = sorted(tensors)

    x = torch.from_numpy(pixels / 255.0 * 2.0 - 1.0)[:, None]
    outside = torch.from_numpy((masks == 0).astype(np.float64))[:, None]
    labels, explained = torch.from_numpy(labels), torch.from_numpy(explained)
    p = {k: v.clone().requires_grad_() for k, v in p.items()}
    adam = torch.optim.Adam(p.values(), lr=1e-2, betas=(0.9, 0.999), eps=1e-8)
    history = torch.zeros(2, STEPS, dtype=torch.float64)
    for step, batch in enumerate(torch.from_numpy(batches)):
        ce, penalty = losses(p, x[batch], outside[batch], labels[batch], explained[batch])
        history[:, step] = torch.stack([ce, penalty]).detach()
        if step == 0:
            # Biases reach G through the probabilities alone.
            alone = torch.autograd.grad(penalty, list(p.values()), retain_graph=True)
            tensors |= {f"penalty/{k}": to_ours(d) for k, d in zip(p, alone)}
        adam.zero_grad()
        (ce + LAMBDA * penalty).backward()
        if step == 0:
            tensors |= {f"gradient/{k}": to_ours(v.grad) for k, v in p.items()}
        adam.step()
    tensors |= {"loss/label": history[0], "loss/penalty": history[1]}
    tensors |= {f"final/{k}": to_ours(v) for k, v in p.items()}

    arrays = {k: np.ascontiguousarray(v.detach().numpy() if torch.is_tensor(v) else v) for k, v in tensors.items()}
    header = {"__metadata__": {
        "description": f"cross-entropy + {LAMBDA} * the penalty on the input gradient, five steps of Adam",
        "computed_in": "float64", "torch": torch.__version__.split("+")[0],
        "script_sha256": sha256(pathlib.Path(__file__).read_bytes()).hexdigest(),
        "data_sha256": sha256(b"".join(arrays[k].tobytes() for k in inputs)).hexdigest()}}
    body = b""
    for key in sorted(arrays, key=lambda k: (-arrays[k].itemsize, k)):
        a = arrays[key]
        span = [len(body), len(body := body + a.astype(a.dtype.newbyteorder("<")).tobytes())]
        header[key] = {"dtype": f"{a.dtype.kind}{8 * a.itemsize}".upper(), "shape": a.shape, "data_offsets": span}
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    pathlib.Path(__file__).with_name("grad_reg.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + body)
    print(f"grad_reg.safetensors: {8 + len(head) + len(body)} bytes, {len(arrays)} tensors")

if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    main()
