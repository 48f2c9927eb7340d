#!/usr/bin/env bash
# Trains on this bundle by EasyR1 and leaves what goes back in $OUT/returned.
#   MODEL   folder of the parent model
#   EASYR1  a checkout of EasyR1, installed
#   OUT     where checkpoints go; on storage that every node of the cluster sees, like this folder
#   NNODES, GPUS  nodes and GPUs of each; 1 and 8 if not given
set -euo pipefail
BUNDLE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
: "${MODEL:?Give MODEL, the folder of the parent model.}"
: "${EASYR1:?Give EASYR1, a checkout of EasyR1.}"
: "${OUT:?Give OUT, a folder for checkpoints.}"
mkdir -p "$OUT"
OUT="$(cd "$OUT" && pwd)"
cd "$BUNDLE"
python3 -c 'import json, hashlib, sys
wrong = [n for n, d in json.load(open("manifest.json"))["files"].items()
         if hashlib.sha256(open(n, "rb").read()).hexdigest() != d]
sys.exit("These files are not as they were exported: " + ", ".join(wrong[:5]) if wrong else 0)'
export PYTHONDONTWRITEBYTECODE=1
python3 -c 'import reward' || { echo "First: pip install -r $BUNDLE/requirements.txt, on every node." >&2; exit 1; }

cd "$EASYR1"
python3 -m verl.trainer.main \
    config="$BUNDLE/config.yaml" \
    data.train_files="$BUNDLE/train.parquet" \
    data.val_files="$BUNDLE/val.parquet" \
    data.image_dir="$BUNDLE" \
    data.format_prompt="$BUNDLE/format_prompt.jinja" \
    worker.actor.model.model_path="$MODEL" \
    worker.reward.reward_function="$BUNDLE/reward.py:compute_score" \
    trainer.save_checkpoint_path="$OUT/checkpoints" \
    trainer.nnodes="${NNODES:-1}" \
    trainer.n_gpus_per_node="${GPUS:-8}" \
    "$@" 2>&1 | tee -a "$OUT/train.log"

ACTOR="$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["last_actor_path"])' \
    "$OUT/checkpoints/checkpoint_tracker.json")"
python3 scripts/model_merger.py --local_dir "$ACTOR"
mkdir -p "$OUT/returned"
cp "$ACTOR"/huggingface/* "$OUT/returned/"
cp "$BUNDLE/manifest.json" "$OUT/returned/manifest.json"
cp "$OUT/checkpoints/checkpoint_tracker.json" "$OUT/returned/metrics.json"
echo "Take $OUT/returned back to the platform."
