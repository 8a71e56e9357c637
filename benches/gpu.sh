#!/bin/sh
# Everything there is to measure on a GPU, with a prebuilt program: correctness of every kernel first, then the benches, the peer
# step, thirty models. No network, no build.
#
#     benches/gpu.sh [PROGRAM] [FOLDER] [DEVICE]
#
# PROGRAM: the built `rationale` (target/release/rationale); build it with RATIONALE_COMMIT=$(git describe --always --dirty) in the
# environment, so that the results name their commit where there is no git. FOLDER: where the results go (gpu-results).
# DEVICE: as `rationale bench --device` takes it (auto). A Python with PyTorch is used where there is one.
set -u
here=$(cd "$(dirname "$0")" && pwd)
program=${1:-$here/../target/release/rationale}
folder=${2:-gpu-results}
device=${3:-auto}
[ -x "$program" ] || { echo "$program is not there; give the built program as the first argument" >&2; exit 2; }
mkdir -p "$folder" || exit 2
failed=0

part() {
    name=$1
    shift
    echo "== $name" >&2
    if ! "$@" >"$folder/$name.txt" 2>"$folder/$name.log"; then
        echo "   failed; see $folder/$name.log" >&2
        failed=1
        return 1
    fi
}

part devices "$program" devices
# What computes wrongly is not timed.
if ! part doctor "$program" doctor --device "$device"; then
    echo "doctor found wrong results: nothing is timed" >&2
    exit 1
fi
part bench "$program" bench --device "$device" --out "$folder"
part replicas "$program" bench --device "$device" --only replicas --json
python=$(command -v python3 || command -v python || true)
if [ -n "$python" ] && "$python" -c 'import torch' 2>/dev/null; then
    part thirty_models "$python" "$here/peers/thirty_models.py"
    part peers "$python" "$here/peers/run.py" --program "$program" --device "$device" --out "$folder"
else
    echo "== peers: skipped, there is no Python with PyTorch" >&2
fi
echo "results are in $folder" >&2
exit $failed
