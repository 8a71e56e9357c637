#!/bin/sh
# Exports a run of each mapping and holds them against onnxruntime and PyTorch. Usage: verify_exports.sh PROGRAM
# PYTHON may name a Python that has numpy, onnx, onnxruntime, pillow, safetensors and torch.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
if [ -z "${PYTHON:-}" ]; then
    python3 -m venv "$place/venv"
    PYTHON=$place/venv/bin/python
    "$PYTHON" -m pip install --quiet numpy onnx onnxruntime pillow safetensors torch
fi
"$PYTHON" - "$place/pictures" <<'PY'
import pathlib, sys
import numpy as np
from PIL import Image
folder = pathlib.Path(sys.argv[1])
folder.mkdir()
random = np.random.default_rng(0)
for i in range(1000):
    Image.fromarray(random.integers(0, 256, (32, 32), dtype=np.uint8)).save(folder / f"{i}.png")
PY
verify() {
    name=$1
    shift
    "$program" train triangles:ES "$@" --epochs 1 --device cpu --run "$place/$name" --quiet > /dev/null
    echo "$name"
    "$PYTHON" "$here/check_exports.py" "$program" "$place/$name" "$place/pictures"
}
for mapping in diagonal dense conv1x1 gate; do
    verify "mapping-$mapping" --mapping $mapping
done
for network in small resnet; do
    verify "network-$network" --network $network
done
cat > "$place/batch_norm.toml" <<'TOML'
[model]
features = [
    { conv = { out = 8, kernel = 5, stride = 2, padding = 2 } }, "batch_norm", "relu",
    { residual = { layers = [{ max_pool = { kernel = 2 } }, "batch_norm", { dropout = 0.1 }] } },
    { residual = { layers = [{ conv = { out = 8, kernel = 3, padding = 1 } }, "batch_norm"] } },
]
classifier = [{ linear = { out = 16 } }, "batch_norm", "relu", { group_norm = { groups = 2 } }, "output"]
TOML
verify batch-norm --config "$place/batch_norm.toml"
