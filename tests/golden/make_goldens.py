#!/usr/bin/env python3
"""Writes the PyTorch goldens that the Rust tests compare with; README.md beside this file says what they hold.

Everything is computed in float64 from inputs that float32 holds exactly. What is stored has the engine's layout:
activations NHWC, convolution weights [K_h, K_w, C_in, C_out], linear weights [D_in, D_out], features flattened in
(h, w, c) order, gradients like their tensors. PyTorch computes in its own layout and the results are converted; before
anything is written, a second run in the engine's layout (convolution as windows and a product) must give the same.
"""

import json
import pathlib
import struct
from hashlib import sha256

import numpy as np
import torch
import torch.nn.functional as F

STEPS, BATCH, PICTURES, SIZE, CLASSES, INNER = 10, 8, 24, 32, 2, 5
UNEXPLAINED, SKIPPED_STEP = 10, 4  # pictures without a mask; the step whose batch holds none but those
CONVS = [(0, 5, 1, 16), (2, 3, 16, 32), (4, 3, 32, 32)]  # layer index, kernel, C_in, C_out; stride 2, padding k // 2
GATE = [("features.0", 5, 1, 16), ("features.2", 3, 16, 32), ("mapping.0", 3, 32, 16), ("mapping.2", 3, 16, 32),
        ("classifier.0", 3, 32, 32)]  # the layers of the gate's network; those of m have stride 1
D = 4 * 4 * 32
PERM = torch.arange(D).reshape(32, 4, 4).permute(1, 2, 0).flatten()  # [ours, (h, w, c)] = PyTorch's, (c, h, w)

def write(name, tensors, description, data_keys):
    """One safetensors file, byte for byte the same each time: the wide types first (alignment), then by name."""
    arrays = {k: np.ascontiguousarray(v.detach().numpy() if torch.is_tensor(v) else v) for k, v in tensors.items()}
    header = {"__metadata__": {
        "description": description, "computed_in": "float64", "torch": torch.__version__.split("+")[0],
        "layout": "NHWC; conv [K_h,K_w,C_in,C_out]; linear [D_in,D_out]; features in (h,w,c) order",
        "script_sha256": sha256(pathlib.Path(__file__).read_bytes()).hexdigest(),
        "data_sha256": sha256(b"".join(arrays[k].tobytes() for k in sorted(data_keys))).hexdigest()}}
    body = b""
    for key in sorted(arrays, key=lambda k: (-arrays[k].itemsize, k)):
        a, raw = arrays[key], arrays[key].astype(arrays[key].dtype.newbyteorder("<")).tobytes()
        span = [len(body), len(body := body + raw)]
        header[key] = {"dtype": f"{a.dtype.kind}{8 * a.itemsize}".upper(), "shape": a.shape, "data_offsets": span}
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    pathlib.Path(__file__).with_name(name).write_bytes(struct.pack("<Q", len(head)) + head + body)
    print(f"{name}: {8 + len(head) + len(body)} bytes, {len(arrays)} tensors")

exact32 = lambda a: torch.from_numpy(np.asarray(a, np.float32).astype(np.float64))  # rounded to what float32 holds
indices = lambda a: torch.from_numpy(a.astype(np.int64))
nhwc = lambda x: x.permute(0, 2, 3, 1)
nchw = lambda x: x.permute(0, 3, 1, 2)

def agree(what, a, b):
    torch.testing.assert_close(a.detach(), b.detach(), rtol=1e-9, atol=1e-12, msg=lambda text: f"{what}: {text}")

def conv_windows(x, w, b, stride, padding, dilation=(1, 1)):
    """Convolution in the engine's layout."""
    span = [dilation[a] * (w.shape[a] - 1) + 1 for a in (0, 1)]
    x = F.pad(x, (0, 0, padding[1], padding[1], padding[0], padding[0]))
    taps = x.unfold(1, span[0], stride[0]).unfold(2, span[1], stride[1])[..., ::dilation[0], ::dilation[1]]
    return torch.einsum("nhwcij,ijco->nhwo", taps, w) + b

# A layout: convolution and linear layer. flatten(1) then gives (c, h, w) order in PyTorch's and (h, w, c) in ours.
TORCH = (F.conv2d, F.linear)
OURS = (conv_windows, lambda x, w, b: x @ w + b)

def to_ours(name, t):
    """A parameter, its gradient or an activation, from PyTorch's layout to the engine's."""
    if name in ("input", "features"):
        return nhwc(t) if name == "input" else t[:, PERM]
    if t.dim() == 4:
        return t.permute(2, 3, 1, 0)
    if name in ("mapping.weight", "mapping.bias"):
        return t[PERM] if t.dim() == 1 else t.T[PERM][:, PERM]
    return t.T[PERM] if t.dim() == 2 and name.startswith("classifier") else t

def conv(p, layout, name, x, stride):
    k = p[f"{name}.bias"], p[f"{name}.weight"]
    pad = (k[1].shape[2] if layout is TORCH else k[1].shape[0]) // 2
    return layout[0](x, k[1], k[0], (stride, stride), (pad, pad))

has_gate = lambda p: "mapping.0.weight" in p

def features(p, layout, x):
    for index, _, _, _ in CONVS[:2 if has_gate(p) else 3]:
        x = F.relu(conv(p, layout, f"features.{index}", x, 2))
    return x if has_gate(p) else x.flatten(1)

def openness(p, layout, h):
    return 1 + conv(p, layout, "mapping.2", F.relu(conv(p, layout, "mapping.0", h, 1)), 1)

def mapping(p, layout, f, through="leaky"):
    """m(f(x)); `through` says how the gradient passes a gate: leaky (slope 0.01 where closed), exact, constant."""
    if has_gate(p):
        u = openness(p, layout, f)
        below = u.clamp(max=0)
        leak = 0.01 * (below - below.detach()) if through == "leaky" else 0  # 0 forward, to the bit
        g = F.relu(u) + leak
        return (g.detach() if through == "constant" else g) * f
    w, b = p["mapping.weight"], p["mapping.bias"]
    return f * w + b if w.dim() == 1 else layout[1](f, w, b)

def classifier(p, layout, z):
    if has_gate(p):
        z = F.relu(conv(p, layout, "classifier.0", z, 2)).flatten(1)
    last = "classifier.2" if has_gate(p) else "classifier.0"
    return layout[1](z, p[f"{last}.weight"], p[f"{last}.bias"])

def log_softmax(p, layout, z):
    """Over the features of each picture; with a gate over the positions of each channel. Beside it the number of groups."""
    if not has_gate(p):
        return F.log_softmax(z, dim=1), 1
    return (F.log_softmax(z.flatten(2), dim=2) if layout is TORCH else F.log_softmax(z.flatten(1, 2), dim=1)), 32

def train(p, layout, x, masked, data):
    """Ten steps from p. x and masked are the data set in the layout's own order."""
    p = {k: v.clone(memory_format=torch.contiguous_format).requires_grad_() for k, v in p.items()}
    m = {k: v for k, v in p.items() if k.startswith("mapping")}
    labelled = {k: v for k, v in p.items() if k not in m} if has_gate(p) else p
    rates = (3e-3, 2e-3) if has_gate(p) else (1e-3, 1e-2)
    label_adam = torch.optim.Adam(labelled.values(), lr=rates[0], betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2)
    alignment_adam = torch.optim.Adam(m.values(), lr=rates[1], betas=(0.9, 0.999), eps=1e-8)
    out = {"loss/stage1": torch.zeros(STEPS).double(), "loss/stage2": torch.zeros(STEPS, INNER).double()}
    for step, batch in enumerate(indices(data["data/batches"])):
        pictures = x[batch].requires_grad_()
        labels = indices(data["data/labels"])[batch]
        f = features(p, layout, pictures)
        logits = classifier(p, layout, mapping(p, layout, f, "constant"))
        loss = F.cross_entropy(logits, labels)
        if step == 0 and has_gate(p):  # the derivative of the forward pass, which stage 1 does not take
            exact = classifier(p, layout, mapping(p, layout, f, "exact"))
            out["grad1/input"] = torch.autograd.grad(F.cross_entropy(exact, labels), pictures, retain_graph=True)[0]
        label_adam.zero_grad()
        loss.backward()
        out["loss/stage1"][step] = loss.detach()
        if step == 0:
            out |= {f"grad1/{k}": v.grad.clone() for k, v in labelled.items()}
            out |= {"step0/logits": logits}
            out |= {} if has_gate(p) else {"grad1/input": pictures.grad, "step0/features": f}
        label_adam.step()
        explained = batch[torch.from_numpy(data["data/explained"])[batch] == 1]
        if len(explained) == 0:
            continue  # no stage-2 step: the losses stay 0, m and its Adam state stay as they are
        with torch.no_grad():
            f = features(p, layout, x[explained])
            target, groups = log_softmax(p, layout, features(p, layout, masked[explained]))
        for inner in range(INNER):
            log_q, _ = log_softmax(p, layout, mapping(p, layout, f))
            loss = F.kl_div(log_q, target, reduction="sum", log_target=True) / (groups * len(explained))
            alignment_adam.zero_grad()
            loss.backward()
            out["loss/stage2"][step, inner] = loss.detach()
            if step == 0 and inner == 0:
                out |= {f"grad2/{k}": v.grad.clone() for k, v in m.items()}
            alignment_adam.step()
        if has_gate(p):
            closed = (openness(p, layout, f) <= 0).double().mean()
            assert 0.02 < closed < 0.9, f"{closed} of the gate is closed after step {step}"
    assert alignment_adam.state[next(iter(m.values()))]["step"] == INNER * (STEPS - 1)
    return out | {f"final/{k}": v.detach().clone() for k, v in p.items()}

def data_set(rng):
    """Pictures, masks, labels and the order in which they come."""
    masks = np.zeros((PICTURES, SIZE, SIZE), np.uint8)
    unexplained = rng.permutation(PICTURES)[:UNEXPLAINED]
    for i in set(range(PICTURES)) - set(unexplained.tolist()):
        (height, width), (top, left) = rng.randint(8, 21, 2), rng.randint(0, SIZE - 19, 2)
        masks[i, top:top + height, left:left + width] = 255
    batches = np.stack([rng.permutation(PICTURES)[:BATCH] for _ in range(STEPS)])
    batches[SKIPPED_STEP] = rng.permutation(unexplained)[:BATCH]
    explained = masks.any(axis=(1, 2)).astype(np.uint8)
    assert 0 < explained[batches[0]].sum() < BATCH
    return {"data/pixels": rng.randint(0, 256, (PICTURES, SIZE, SIZE, 1)).astype(np.uint8), "data/masks": masks,
            "data/labels": rng.randint(0, CLASSES, PICTURES).astype(np.uint32), "data/explained": explained,
            "data/batches": batches.astype(np.uint32)}

he = lambda rng, k, c_in, c_out: exact32(rng.randn(c_out, c_in, k, k) * (2 / (k * k * c_in)) ** 0.5)

def initial(rng, kind):
    p = {}
    for index, k, c_in, c_out in CONVS:
        p[f"features.{index}.weight"] = he(rng, k, c_in, c_out)
        p[f"features.{index}.bias"] = torch.zeros(c_out).double()
    p["mapping.weight"] = torch.ones(D).double() if kind == "diagonal" else torch.eye(D).double()
    p["mapping.bias"] = torch.zeros(D).double()
    p["classifier.0.weight"] = exact32(rng.randn(CLASSES, D) * (2 / D) ** 0.5)
    p["classifier.0.bias"] = torch.zeros(CLASSES).double()
    return p

def initial_gate(rng):
    """Weights of the gate's network. m is not the identity here: a part of the gate is closed from the start."""
    p = {}
    for name, k, c_in, c_out in GATE:
        p[f"{name}.weight"] = he(rng, k, c_in, c_out)
        p[f"{name}.bias"] = torch.zeros(c_out).double()
    p["mapping.2.weight"] = exact32(0.3 * p["mapping.2.weight"])
    p["mapping.2.bias"] = exact32(0.5 * rng.randn(32) - 0.5)
    p["classifier.2.weight"] = exact32(rng.randn(CLASSES, D) * (2 / D) ** 0.5)
    p["classifier.2.bias"] = torch.zeros(CLASSES).double()
    return p

def reference(kind):
    rng = np.random.RandomState(20261121)  # the legacy generator: its stream is frozen across numpy versions
    data = data_set(rng)
    rows = np.sort(rng.permutation(D)[:16]).astype(np.uint32)
    p = initial_gate(rng) if kind == "gate" else initial(rng, kind)
    ours = {k: to_ours(k, v) for k, v in p.items()}
    # 2 k / 255 - 1; doubling is exact, so k / 127.5 - 1 gives the same bits.
    x = torch.from_numpy(data["data/pixels"] / 255.0 * 2.0 - 1.0)
    masked = x * torch.from_numpy(data["data/masks"] == 255)[..., None]
    out, check = train(p, TORCH, nchw(x), nchw(masked), data), train(ours, OURS, x, masked, data)
    for key in out:
        if not key.startswith("loss/"):
            out[key] = to_ours(key.split("/")[1], out[key])
        agree(f"{kind} {key}", out[key], check[key])
    tensors = data | {f"init/{k}": v for k, v in ours.items()} | out
    if kind == "dense":  # 1 MB each: keep 16 rows, and the sum and sum of squares of the whole
        del tensors["init/mapping.weight"]
        tensors["rows/mapping.weight"] = rows
        for key in ("grad1/mapping.weight", "grad2/mapping.weight", "final/mapping.weight"):
            tensors[f"whole/{key}"] = torch.stack([tensors[key].sum(), tensors[key].square().sum()])
            tensors[key] = tensors[key][indices(rows)]
    tensors |= {k: v.float() for k, v in tensors.items() if k.split("/")[0] not in ("data", "rows", "loss", "whole")}
    setting = "gate's" if kind == "gate" else "two-stage reference"
    text = f"ten steps of the {setting} setting, {kind} mapping; loss/stage2 is 0 where no step is taken"
    write(f"reference_{kind}.safetensors", tensors, text, [k for k in tensors if k[:5] in ("data/", "init/")])

def ops():
    """Inputs and hyperparameters f32, results f64."""
    rng, t, inputs = np.random.RandomState(7), {}, []
    rand = lambda *shape: exact32(rng.randn(*shape))

    def give(prefix, **values):  # inputs: float32, or already an integer array
        t.update({f"{prefix}/{k}": v.detach().float() if torch.is_tensor(v) else v for k, v in values.items()})
        inputs.extend(f"{prefix}/{k}" for k in values)
    def take(prefix, **values):  # results; a scalar becomes [1]
        t.update({f"{prefix}/{k}": torch.atleast_1d(v.detach()) for k, v in values.items()})

    def vjp(prefix, function, another, **x):
        """y = function(**x) and, for a random d_y, every d_<input>; another way to compute y must give the same."""
        x = {k: v.requires_grad_() for k, v in x.items()}
        y, y_again = function(**x), another(**x)
        d_y = rand(*y.shape)
        grads = torch.autograd.grad(y, list(x.values()), d_y)
        for a, b in zip((y, *grads), (y_again, *torch.autograd.grad(y_again, list(x.values()), d_y))):
            agree(prefix, a, b)
        give(prefix, **x, d_y=d_y)
        take(prefix, y=y, **{f"d_{k}": g for k, g in zip(x, grads)})

    # x [N, H, W, C_in], C_out, kernel, stride, padding, dilation
    for i, (shape, c_out, kernel, *geometry) in enumerate([
            ((2, 9, 7, 3), 5, (3, 2), (2, 1), (1, 0), (1, 2)), ((2, 6, 11, 13), 4, (3, 3), (2, 2), (1, 1), (1, 1)),
            ((1, 11, 8, 1), 8, (5, 5), (1, 2), (2, 3), (2, 1))]):
        vjp(f"conv2d/{i}", lambda x, weight, bias: nhwc(F.conv2d(nchw(x), weight.permute(3, 2, 0, 1), bias, *geometry)),
            lambda x, weight, bias: conv_windows(x, weight, bias, *geometry),
            x=rand(*shape), weight=rand(*kernel, shape[3], c_out), bias=rand(c_out))
        give(f"conv2d/{i}", geometry=np.array(geometry, np.uint32))

    # The second is full of ties: the first in row order wins, as in numpy's argmax. argmax = h * W + w, unpadded.
    for i, x in enumerate([rand(2, 9, 7, 5), exact32(rng.randint(-2, 2, (1, 8, 6, 3)))]):
        windows = F.pad(x, (0, 0, 1, 1, 1, 1), value=-np.inf).unfold(1, 3, 2).unfold(2, 3, 2).flatten(4).numpy()
        tap, (_, h, w, _) = windows.argmax(4), np.indices(windows.shape[:4])
        argmax = (2 * h - 1 + tap // 3) * x.shape[2] + 2 * w - 1 + tap % 3
        vjp(f"max_pool2d/{i}", lambda x: nhwc(F.max_pool2d(nchw(x), 3, 2, 1)),
            lambda x: x.flatten(1, 2).gather(1, torch.from_numpy(argmax).flatten(1, 2)).reshape(argmax.shape), x=x)
        assert (nhwc(F.max_pool2d(nchw(x), 3, 2, 1, return_indices=True)[1]).numpy() == argmax).all()
        t[f"max_pool2d/{i}/argmax"] = argmax.astype(np.uint32)
    temperature = exact32([0.7])
    give("log_softmax", temperature=temperature)
    vjp("log_softmax", lambda x: F.log_softmax(x / temperature, dim=1),
        lambda x: x / temperature - (x / temperature).exp().sum(1, keepdim=True).log(), x=3 * rand(5, 9))
    vjp("softmax_positions", lambda x: F.softmax(x.flatten(1, 2), dim=1).reshape(x.shape),
        lambda x: x.exp() / x.exp().sum((1, 2), keepdim=True), x=rand(2, 4, 3, 5))

    for i in range(2):  # the second: p is 0 once in row 0 and 8 times in row 1, q is 0 under a live p in row 2
        target, z = 2 * rand(4, 9), 2 * rand(4, 9)
        if i == 1:
            target[0, 3], target[1, :8], z[2, 5] = -1e4, -1e4, -1e4
        p, q, z = F.softmax(target, dim=1), F.softmax(z, dim=1), z.requires_grad_()
        assert ((p == 0).sum(), (q == 0).sum()) == ((0, 0) if i == 0 else (9, 1))
        rows = F.kl_div(F.log_softmax(z, dim=1), F.log_softmax(target, dim=1), reduction="none", log_target=True).sum(1)
        d_z = torch.autograd.grad(rows.mean(), z)[0]
        agree("softmax_kl", d_z, (q - p) / 4)
        give(f"softmax_kl/{i}", target=target, z=z)
        take(f"softmax_kl/{i}", p=p, q=q, rows=rows, loss=rows.mean(), d_z=d_z)

    z, labels, weights = 2 * rand(6, 4), np.array([0, 3, 1, 1, 2, 3], np.uint32), exact32([0.5, 2.0, 1.3, 0.9])
    give("cross_entropy", z=z.requires_grad_(), labels=labels, class_weights=weights)
    for name, w in (("plain", None), ("weighted", weights)):  # weighted: sum of w[y] * loss over the sum of w[y]
        loss = F.cross_entropy(z, indices(labels), weight=w)
        take(f"cross_entropy/{name}", loss=loss, d_z=torch.autograd.grad(loss, z)[0])

    adam = lambda kind: lambda v, lr, beta1, beta2, eps, decay: kind(v, lr, (beta1, beta2), eps, decay)
    sgd = lambda v, lr, momentum, decay: torch.optim.SGD(v, lr, momentum, weight_decay=decay, nesterov=True)
    for kind, make, hyper in (("adam", adam(torch.optim.Adam), [1e-2, 0.9, 0.999, 1e-8, 1e-2]),
                              ("adamw", adam(torch.optim.AdamW), [1e-2, 0.9, 0.999, 1e-8, 1e-1]),
                              ("sgd_nesterov", sgd, [1e-1, 0.9, 1e-2])):
        start, grads, hyper, path = rand(7), rand(5, 7), exact32(hyper), []
        v = start.clone().requires_grad_()
        optimiser = make([v], *hyper.tolist())
        for g in grads:
            v.grad = g.clone()
            optimiser.step()
            path.append(v.detach().clone())
        give(f"optim/{kind}", start=start, grads=grads, hyper=hyper)
        take(f"optim/{kind}", path=torch.stack(path), **{k: s for k, s in optimiser.state[v].items() if k != "step"})
    write("ops.safetensors", t, "single operations, forward and backward: inputs f32, results f64", inputs)

if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    reference("diagonal"), reference("dense"), reference("gate"), ops()
