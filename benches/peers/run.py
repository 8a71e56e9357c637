#!/usr/bin/env python3
"""The peers beside ours, on this machine, one after the other, and the goals row by row.

    python benches/peers/run.py [--program target/release/rationale] [--device llvmpipe] [--out benches/results]
                                [--docs docs/kernels] [--quick] [--rounds 3]

What is not there (PyTorch, a built burn) is skipped with a line that says so. Every measurement is a process of its own, so that its
first step and peak memory are its own; the processes take turns, for as many rounds as asked for, because a machine that shares its
processors is faster in one minute than in the next. Ratios are of one round, and their median counts. Prints a table of ratios; --out writes
peers-<adapter>.json; --docs writes the goals, reached or not, into the README.md of that folder, between its markers.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def say(text):
    print(text, file=sys.stderr, flush=True)


def call(command, **variables):
    """The command's standard output as JSON lines; None, with its words, where it fails."""
    say("$ " + " ".join(str(part) for part in command))
    try:
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables}, timeout=3600)
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"  skipped: {error}")
        return None
    if done.returncode != 0:
        say("  skipped: " + (done.stderr.strip().splitlines() or ["it failed without a word"])[-1])
        return None
    return done.stdout


def one(command, **variables):
    text = call(command, **variables)
    return json.loads(text) if text else None


def python_with_torch():
    for name in (sys.executable, os.environ.get("RATIONALE_PEER_PYTHON"), "python3"):
        if name and subprocess.run([name, "-c", "import torch"], capture_output=True).returncode == 0:
            return name
    say("skipped: PyTorch is not there; `pip install torch`, or name a Python that has it in RATIONALE_PEER_PYTHON")
    return None


def ours(program, device, quick, cores, cold):
    """The peer step; `cold` with an empty shader cache. `cores` sets the CPU device's threads."""
    command = [program, "bench", "--device", device, "--only", "peer", "--json"] + (["--quick"] if quick else [])
    variables = {} if cores is None else {"RAYON_NUM_THREADS": str(cores)}
    with tempfile.TemporaryDirectory() as cache:
        if cold:
            variables.update(MESA_SHADER_CACHE_DIR=cache, XDG_CACHE_HOME=cache)
        report = one(command, **variables)
    if report is None:
        return None
    step = report["steps"][0]
    return {
        "peer": f"rationale {report['place']['commit']}, {report['place']['device']}",
        "seconds": step["seconds"],
        "first": step["first"] + report["opening"],
        "peak_memory": step["peak_memory"],
        "place": report["place"],
    }


def burn(backend, quick):
    program = HERE / "burn/target/release/peer-step-in-burn"
    if not program.exists():
        say(f"skipped: burn is not built; `cargo build --release --manifest-path {HERE.relative_to(ROOT)}/burn/Cargo.toml` takes most of an hour")
        return None
    return one([program, backend, "5" if quick else "15"])


def one_round(arguments, python, quick, has_cuda):
    found = {}
    device = arguments.device
    found["gpu-cold"] = ours(arguments.program, device, arguments.quick, None, True)
    found["gpu"] = ours(arguments.program, device, arguments.quick, None, False)
    found["cpu-1"] = ours(arguments.program, "cpu", arguments.quick, 1, False)
    found["cpu-2"] = ours(arguments.program, "cpu", arguments.quick, 2, False)
    if python:
        for threads in (1, 2):
            command = [python, HERE / "step_in_pytorch.py", "--threads", str(threads), *quick]
            found[f"pytorch-cpu-{threads}"] = one(command)
        if has_cuda:
            found["pytorch-cuda"] = one([python, HERE / "step_in_pytorch.py", "--device", "cuda", *quick])
    for backend in ("wgpu", "flex"):
        found[f"burn-{backend}"] = burn(backend, arguments.quick)
    return found


def measure(arguments):
    quick = ["--samples", "5"] if arguments.quick else []
    python = python_with_torch()
    asks = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    has_cuda = bool(python) and subprocess.run([python, "-c", asks], capture_output=True).returncode == 0
    rounds = [one_round(arguments, python, quick, has_cuda) for _ in range(arguments.rounds)]
    found = {"rounds": rounds, **{key: middle(rounds, key) for key in rounds[0]}}
    if has_cuda:
        text = call([python, HERE / "thirty_models.py", *quick])
        found["thirty-pytorch"] = [json.loads(line) for line in text.splitlines()] if text else None
    elif python:
        say("skipped: thirty models in PyTorch; there is no CUDA device")
    command = [arguments.program, "bench", "--device", arguments.device, "--only", "kernels,replicas", "--json"]
    found["bench"] = one(command + (["--quick"] if arguments.quick else []))
    return found


def middle(rounds, key):
    """The round's entry in the middle by its step; a cold one by its first step."""
    by = (lambda entry: entry["first"]) if key.endswith("-cold") else median
    entries = sorted((turn[key] for turn in rounds if turn.get(key)), key=by)
    return entries[(len(entries) - 1) // 2] if entries else None


def between(found, a, b):
    """How many times b's step is a's, round by round: the median."""
    ratios = [ratio(median(turn.get(a)), median(turn.get(b))) for turn in found.get("rounds", [found])]
    ratios = [value for value in ratios if value]
    return statistics.median(ratios) if ratios else None


def median(entry):
    return entry["seconds"]["median"] if entry else None


def ratio(a, b):
    return a / b if a and b else None


def best(bench, kernels, shapes):
    """The best variant's share of the multiply-add ceiling, the worst over kernels and shapes."""
    if not bench:
        return None
    fma, shares = bench["ceilings"]["fma"], []
    for kernel in kernels:
        for shape in shapes:
            rates = [r["flops_rate"] for r in bench["kernels"] if r["kernel"] == kernel and r["shape"].startswith(shape) and r["flops_rate"]]
            if not rates:
                return None
            shares.append(max(rates) / fma)
    return min(shares)


def thirty(bench, stage):
    if not bench:
        return None
    steps = {step["name"]: step["seconds"]["median"] for step in bench["steps"]}
    return steps.get(f"reference {stage}, 30 models"), steps.get(f"reference {stage}")


def goals(found):
    """Rows of (goal, wanted, stretch, measured, reached)."""
    rows = []

    def at_most(name, value, goal, stretch, show=lambda v: f"{v:.2f}×"):
        row(name, value, f"≤ {show(goal)}", f"≤ {show(stretch)}", show, lambda limit: value <= limit, goal, stretch)

    def at_least(name, value, goal, stretch, show=lambda v: f"{v:.2f}×"):
        row(name, value, f"≥ {show(goal)}", f"≥ {show(stretch)}", show, lambda limit: value >= limit, goal, stretch)

    def row(name, value, goal_text, stretch_text, show, holds, goal, stretch):
        if value is None:
            rows.append((name, goal_text, stretch_text, "not measured", "–"))
            return
        outcome = "stretch reached" if holds(stretch) else "reached" if holds(goal) else "**not reached**"
        rows.append((name, goal_text, stretch_text, show(value), outcome))

    bench = found.get("bench")
    gpu, cold = found.get("gpu"), found.get("gpu-cold")
    software = bool(gpu) and "llvmpipe" in gpu["place"]["slug"]
    percent = lambda v: f"{100 * v:.0f} %"
    seconds = lambda v: f"{v:.1f} s"
    mebibytes = lambda v: f"{v / 2**20:.0f} MiB"
    convolutions = ["peer conv2", "peer conv3"]
    if software or not gpu:
        at_least("peer step on lavapipe, faster than burn-wgpu there", between(found, "burn-wgpu", "gpu"), 8, 10)
        at_most("peer step on lavapipe (all cores), over PyTorch's time on 1 thread", between(found, "gpu", "pytorch-cpu-1"), 1.5, 1.2)
    for n in (1, 2):
        at_most(f"CPU device, peer step, over PyTorch's time, {n} thread{'s' * (n > 1)} each", between(found, f"cpu-{n}", f"pytorch-cpu-{n}"), 1.0, 0.7)
    if software or not gpu:
        at_least("SGEMM 512, share of the multiply-add ceiling", best(bench, ["linear_forward"], ["SGEMM 512"]), 0.30, 0.40, percent)
        at_least("conv forward, share", best(bench, ["conv2d_forward"], convolutions), 0.30, 0.40, percent)
        at_least("conv backward input, share", best(bench, ["conv2d_backward_input"], convolutions), 0.25, 0.30, percent)
        at_least("conv backward weight, share", best(bench, ["conv2d_backward_weight"], convolutions), 0.20, 0.25, percent)
    at_most("first step, cold, device opened in it", cold and cold["first"], 5, 3, seconds)
    at_most("peak memory of the process", gpu and gpu["peak_memory"], 150 * 2**20, 120 * 2**20, mebibytes)
    for stage in ("stage 1", "stage 2"):
        pair = thirty(bench, stage)
        together, single = pair if pair else (None, None)
        name = f"thirty models, {stage}, one plan, faster than thirty runs"
        value = ratio(30 * single if single else None, together)
        if software:
            rows.append((name, "on a GPU", "on a GPU", f"{value:.2f}× here" if value else "not measured", "–"))
        else:
            at_least(name, value, 10, 30)
        torch_ways = {(line["way"], line["stage"]): line["seconds"]["median"] for line in found.get("thirty-pytorch") or []}
        for way, words, goal, stretch in (("eager", "one after the other in eager mode", 10, 50), ("graphs", "with CUDA graphs", 3, 10), ("vmap", "batched by vmap", 1.5, 3)):
            value = ratio(torch_ways.get((way, stage.replace(" ", ""))), together)
            if value is not None or not software:
                at_least(f"the same, faster than PyTorch on the same card, {words}", value, goal, stretch)
    if not software:
        at_least("SGEMM 4096, share of the multiply-add rate", best(bench, ["linear_forward"], ["SGEMM 4096"]), 0.60, 0.80, percent)
        at_least("conv 64×56×56 64→64 forward, share", best(bench, ["conv2d_forward"], ["large conv"]), 0.60, 0.80, percent)
    return rows


def table(head, rows):
    line = lambda cells: "| " + " | ".join(cells) + " |\n"
    return line(head) + line(["---"] * len(head)) + "".join(line(row) for row in rows)


def steps_table(found):
    rows = []
    for key in ("gpu", "gpu-cold", "cpu-1", "cpu-2", "pytorch-cpu-1", "pytorch-cpu-2", "pytorch-cuda", "burn-wgpu", "burn-flex"):
        entry = found.get(key)
        if not entry:
            continue
        steps = [median(turn[key]) * 1e3 for turn in found.get("rounds", [found]) if turn.get(key)]
        spread = f"{min(steps):.3g} to {max(steps):.3g}" if len(steps) > 1 else "–"
        over = between(found, key, "pytorch-cpu-1")
        memory = f"{entry['peak_memory'] / 2**20:.0f} MiB" if entry.get("peak_memory") else "–"
        over = f"{over:.2f}" if over else "–"
        rows.append((key, entry["peer"], f"{median(entry) * 1e3:.1f} ms", spread, over, f"{entry['first']:.2f} s", memory))
    return table(("run", "what", "peer step", "rounds, ms", "over PyTorch, 1 thread", "first step", "peak memory"), rows)


def refresh(page, name, text):
    begin, end = f"<!-- bench {name} -->", "<!-- /bench -->"
    block = f"{begin}\n{text.strip()}\n{end}"
    old = page.read_text()
    if begin in old:
        before, rest = old.split(begin, 1)
        _, after = rest.split(end, 1)
        page.write_text(before + block + after)
    else:
        page.write_text(old.replace("<!-- benches -->", f"{block}\n\n<!-- benches -->", 1))


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=shutil.which("rationale") or ROOT / "target/release/rationale")
    parser.add_argument("--device", default="auto", help="the GPU adapter, as `rationale bench --device` takes it")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--docs", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=3, help="how often the processes take turns [default: 3]")
    parser.add_argument("--found", type=pathlib.Path, help="tables of an earlier run's JSON, without measuring")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    if arguments.found:
        found = json.loads(arguments.found.read_text())
    else:
        found = measure(arguments)
        found["machine"] = f"{processor()}, {datetime.date.today()}"
    place = (found.get("gpu") or found.get("cpu-1") or {}).get("place", {})
    slug = place.get("slug", "unknown")
    head = f"{found['machine']}; {place.get('device', 'no device')}; commit {place.get('commit', 'unknown')}.\n\n"
    text = head + steps_table(found) + "\n" + table(("goal", "wanted", "stretch", "measured", ""), goals(found))
    print(text)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / f"peers-{slug}.json").write_text(json.dumps(found, indent=1) + "\n")
    if arguments.docs:
        refresh(arguments.docs / "README.md", f"goals {slug}", text)


if __name__ == "__main__":
    main()
