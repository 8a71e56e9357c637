#!/usr/bin/env python3
"""Loading 10,000 pictures of 64×64, beside Pillow with one worker per core.

    python benches/load.py target/release/rationale

makes JPEG and PNG pictures in a temporary folder, then times, in turns and after a first round that warms the page cache,

* `rationale plan FOLDER --device cpu`: find, decode, part, plan a training step; the whole process, start to end;
* a Pillow pool that is open already: decode every file to a NumPy array and drop it, one worker per core, no parts.

Prints the medians, their ratio and the peak memory of each (of the largest process, and of the pool's together).
"""

import multiprocessing
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image

PICTURES, SIDE, CLASSES, ROUNDS = 10_000, 64, 10, 5


def make(folder, kind):
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (PICTURES, 8, 8, 3), dtype=np.uint8)
    for i in range(PICTURES):
        path = folder / f"class{i % CLASSES}" / f"{i}.{kind}"
        path.parent.mkdir(exist_ok=True)
        picture = Image.fromarray(coarse[i]).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        picture.save(path, quality=90)


def decode(path):
    with Image.open(path) as picture:
        np.asarray(picture.convert("RGB"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def ours(program, folder):
    begin = time.perf_counter()
    child = subprocess.Popen([program, "plan", str(folder), "--device", "cpu"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    assert status == 0, f"{program} plan failed"
    return time.perf_counter() - begin, usage.ru_maxrss


def main(program):
    cores = len(os.sched_getaffinity(0))
    print(f"{PICTURES} pictures of {SIDE}×{SIDE}, {cores} cores, medians of {ROUNDS}")
    for kind in ["jpg", "png"]:
        with tempfile.TemporaryDirectory() as folder, multiprocessing.Pool(cores) as pool:
            folder = pathlib.Path(folder)
            make(folder, kind)
            paths = sorted(str(path) for path in folder.rglob(f"*.{kind}"))
            times, peaks = {"rationale": [], "Pillow": []}, {"rationale": 0, "Pillow": 0}
            for round_ in range(ROUNDS + 1):
                seconds, peak = ours(program, folder)
                begin = time.perf_counter()
                workers = pool.map(decode, paths, chunksize=64)
                pillow = time.perf_counter() - begin
                if round_ > 0:
                    times["rationale"].append(seconds)
                    times["Pillow"].append(pillow)
                peaks["rationale"] = max(peaks["rationale"], peak)
                peaks["Pillow"] = max(peaks["Pillow"], max(workers) * cores)
            medians = {name: statistics.median(seconds) for name, seconds in times.items()}
            for name, seconds in medians.items():
                spread = f"{min(times[name]):.2f} to {max(times[name]):.2f}"
                print(f"{kind}  {name:<10} {seconds:6.2f} s ({spread})  peak {peaks[name] / 1024:6.0f} MiB")
            print(f"{kind}  ratio      {medians['rationale'] / medians['Pillow']:6.2f} (below 1: rationale is faster)")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
