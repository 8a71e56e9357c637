"""Holds ONNX (onnxruntime) and safetensors (PyTorch) exports of a run against `rationale predict` on real pictures.

python tools/check_exports.py PROGRAM RUN FOLDER_OF_PICTURES
The pictures have the size that the run was trained on, so that nobody resizes. Needs onnx, onnxruntime, torch,
safetensors, pillow and numpy. Exits with 1 if a logit-derived probability differs by more than 1e-4.
"""
import json, pathlib, subprocess, sys, tempfile
import numpy as np, onnx, onnxruntime, torch
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "examples"))
from load_in_pytorch import load

program, run, folder = sys.argv[1:4]
out = pathlib.Path(tempfile.mkdtemp())
subprocess.run([program, "export", run, "--onnx", out / "m.onnx", "--safetensors", out / "m.safetensors"], check=True)
answers = json.loads(subprocess.run([program, "predict", run, folder, "--format", "json"], check=True, stdout=subprocess.PIPE).stdout)
ours = np.array([a["probabilities"] for a in answers["pictures"]])

model, classes, (channels, height, width) = load(out / "m.safetensors")
assert classes == answers["classes"]
pictures = [np.asarray(Image.open(a["file"]).convert("RGB" if channels == 3 else "L"), np.float32) / 255 for a in answers["pictures"]]
x = np.stack(pictures).reshape(-1, height, width, channels).transpose(0, 3, 1, 2)
onnx.checker.check_model(onnx.load(out / "m.onnx"), full_check=True)
session = onnxruntime.InferenceSession(out / "m.onnx")
logits, probabilities = session.run(["logits", "probabilities"], {"pictures": x})
with torch.no_grad():
    theirs = model.logits(torch.from_numpy(np.ascontiguousarray(x)))
worst = {
    "onnxruntime, probabilities": np.abs(probabilities - ours).max(),
    "onnxruntime, logits against PyTorch": np.abs(logits - theirs.numpy()).max(),
    "PyTorch, probabilities": np.abs(theirs.softmax(1).numpy() - ours).max(),
}
print(f"{len(x)} pictures, {ours.shape[1]} classes, onnxruntime {onnxruntime.__version__}, torch {torch.__version__}")
for name, value in worst.items():
    print(f"{value:.2e}  {name}")
sys.exit(any(not value < 1e-4 for value in worst.values()))
