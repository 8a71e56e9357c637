"""Makes shapes.json: random shapes, and the pixels that pycocotools and Pillow find inside.

    pip install numpy pillow pycocotools   # the committed file: pycocotools 2.0.11, Pillow 13.0
    python tests/golden/make_shapes.py

Masks are stored as COCO's compressed runs, which the reader under test has to expand as well; `runs` holds the same
masks as plain numbers for the cases of `coco`.
"""

import hashlib
import json
import math
import pathlib
import random

import numpy as np
import PIL
from PIL import Image, ImageDraw
from pycocotools import mask as coco

HERE = pathlib.Path(__file__).parent
rng = random.Random(20240711)


def star(w, h, corners):
    """A simple polygon around the middle."""
    angles = sorted(rng.uniform(0, 2 * math.pi) for _ in range(corners))
    reach = [(rng.uniform(0.1, 0.6) * w, rng.uniform(0.1, 0.6) * h) for _ in angles]
    return [[w / 2 + r * math.cos(t), h / 2 + s * math.sin(t)] for t, (r, s) in zip(angles, reach)]


def tangle(w, h, corners):
    """A polygon that crosses itself and leaves the picture."""
    return [[rng.uniform(-3, w + 3), rng.uniform(-3, h + 3)] for _ in range(corners)]


def awkward(w, h):
    """Repeated corners, level and upright sides, halves, the picture's own edges."""
    return [
        [[1, 1], [1, 1], [w - 2, 1], [w - 2, h - 2], [1, h - 2]],
        [[0, 0], [w, 0], [w, h], [0, h]],
        [[0.5, 0.5], [w - 0.5, 0.5], [w - 0.5, h - 0.5], [0.5, h - 0.5]],
        [[2, 2], [5, 2], [5, 6]],
        [[3, 1], [3, h - 1], [3, 1]],
        [[1, 3], [w - 1, 3], [w / 2, 3]],
        [[w / 2, -5], [w + 5, h / 2], [w / 2, h + 5], [-5, h / 2]],
        [[1, 1], [w - 1, 2], [1, 3], [w - 1, 4], [1, 5]],
    ]


def polygons(count):
    for i in range(count):
        w, h = rng.randint(6, 40), rng.randint(6, 40)
        if i < 24:
            yield w, h, awkward(w, h)[i % 8]
        else:
            points = (star if i % 2 else tangle)(w, h, rng.randint(3, 12))
            digits = rng.choice([0, 1, 2, 6])
            yield w, h, [[round(x, digits), round(y, digits)] for x, y in points]


def packed(mask):
    return coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()


def plain(mask):
    """Runs of a mask, counted here and not by the library."""
    runs, value = [0], 0
    for pixel in mask.flatten(order="F"):
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    return runs


def pillow(w, h, kind, points):
    image = Image.new("L", (w, h), 0)
    draw = ImageDraw.Draw(image)
    xy = [tuple(point) for point in points]
    if kind == "circle":
        (x, y), (u, v) = xy
        d = math.hypot(x - u, y - v)
        draw.ellipse([x - d, y - d, x + d, y + d], outline=1, fill=1)
    elif kind == "rectangle":
        (x, y), (u, v) = xy
        draw.rectangle([min(x, u), min(y, v), max(x, u), max(y, v)], outline=1, fill=1)
    else:
        draw.polygon(xy, outline=1, fill=1)
    return np.array(image)


cases = {"coco": [], "drawn": []}
for w, h, points in polygons(220):
    flat = [value for point in points for value in point]
    mask = coco.decode(coco.merge(coco.frPyObjects([flat], h, w)))
    cases["coco"].append({"size": [w, h], "polygon": flat, "counts": packed(mask), "runs": plain(mask)})
for w, h, points in polygons(220):
    mask = pillow(w, h, "polygon", points)
    cases["drawn"].append({"size": [w, h], "shape": "polygon", "points": points, "counts": packed(mask)})
for i in range(120):
    w, h = rng.randint(6, 40), rng.randint(6, 40)
    kind = ["circle", "rectangle"][i % 2]
    points = [[round(rng.uniform(-2, w + 2), 1), round(rng.uniform(-2, h + 2), 1)] for _ in range(2)]
    if kind == "circle" and i % 3 == 0:
        points[1] = [points[0][0] + rng.randint(0, 9), points[0][1]]
    mask = pillow(w, h, kind, points)
    cases["drawn"].append({"size": [w, h], "shape": kind, "points": points, "counts": packed(mask)})

script = pathlib.Path(__file__).read_bytes()
about = {"pillow": PIL.__version__, "script": hashlib.sha256(script).hexdigest()}
with open(HERE / "shapes.json", "w", newline="\n") as file:
    file.write(json.dumps({"about": about}) [:-1] + ",\n")
    for name, rows in cases.items():
        body = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
        file.write(f'"{name}": [\n{body}\n]' + (",\n" if name == "coco" else "\n}\n"))
