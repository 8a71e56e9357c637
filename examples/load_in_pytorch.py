"""A model of `rationale export RUN --safetensors FILE` in PyTorch: python load_in_pytorch.py FILE PICTURE..."""
import json, sys
import numpy as np, torch
from PIL import Image
from safetensors import safe_open
from torch import nn

class Linear(nn.Linear):  # on a map too: the dense mapping keeps its shape
    def forward(self, x):
        y = super().forward(x.flatten(1))
        return y.view_as(x) if x.dim() == 4 and y.shape[1] == x[0].numel() else y

class Diagonal(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(shape)), nn.Parameter(torch.zeros(shape))
    def forward(self, h):
        return self.weight * h + self.bias

class Gate(nn.Sequential):
    def forward(self, h):
        return torch.relu(1 + super().forward(h)) * h

class BatchNorm(nn.BatchNorm1d):  # on a map or on features, as they come
    def _check_input_dim(self, x):
        pass

class Residual(nn.Module):
    def __init__(self, layers, shortcut):
        super().__init__()
        self.layers, self.shortcut = layers, shortcut
    def forward(self, x):
        y = self.layers(x)
        height, width = (-(-before // after) for before, after in zip(x.shape[2:], y.shape[2:]))  # its strides
        return y + self.shortcut(x[:, :, ::height, ::width])

def load(path):
    with safe_open(path, "pt") as file:
        meta, weights = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}
    def conv(shape, stride=1, padding=0, dilation=1, kernel=None, out=None):
        return nn.Conv2d(shape[1], shape[0], shape[2:], stride, padding, dilation)
    def layer(name, spec):
        kind, values = next(iter(spec.items())) if isinstance(spec, dict) else (spec, {})
        shape = tuple(weights[name + ".weight"].shape) if name + ".weight" in weights else None
        return {"conv": lambda: conv(shape, **values), "relu": nn.ReLU, "average_pool": lambda: nn.AdaptiveAvgPool2d(1),
                "max_pool": lambda: nn.MaxPool2d(values["kernel"], values.get("stride"), values.get("padding", 0)),
                "group_norm": lambda: nn.GroupNorm(values["groups"], *shape), "batch_norm": lambda: BatchNorm(*shape),
                "dropout": lambda: nn.Dropout(values),
                "residual": lambda: Residual(stack(name + ".layers", values["layers"]), conv(weights[name + ".shortcut.weight"].shape) if name + ".shortcut.weight" in weights else nn.Identity()),
                "linear": lambda: Linear(*shape[::-1]), "output": lambda: Linear(*shape[::-1]), "dense": lambda: Linear(*shape[::-1]),
                "diagonal": lambda: Diagonal(shape), "conv1x1": lambda: conv(shape), "none": nn.Identity,
                "gate": lambda: Gate(conv(weights["mapping.0.weight"].shape, padding=1), nn.ReLU(),
                                     conv(weights["mapping.2.weight"].shape, padding=1))}[kind]()
    spec = json.loads(meta["model"])
    stack = lambda name, layers: nn.Sequential(*(layer(f"{name}.{i}", one) for i, one in enumerate(layers)))
    model = nn.ModuleDict({"features": stack("features", spec["features"]), "mapping": layer("mapping", spec["mapping"]),
                           "classifier": stack("classifier", spec["classifier"])})
    model.load_state_dict(weights)
    model.eval()
    model.logits = lambda x: model["classifier"](model["mapping"](model["features"](2 * x - 1)))
    return model, json.loads(meta["classes"]), json.loads(meta["input"])

if __name__ == "__main__":
    model, classes, (channels, height, width) = load(sys.argv[1])
    for name in sys.argv[2:]:
        picture = Image.open(name).convert("RGB" if channels == 3 else "L").resize((width, height), Image.BICUBIC)
        x = torch.from_numpy(np.asarray(picture, np.float32) / 255).reshape(1, height, width, channels).permute(0, 3, 1, 2)
        p = model.logits(x).softmax(1)[0]
        print(name, classes[p.argmax()], f"{p.max():.3f}")
