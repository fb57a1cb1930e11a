#!/usr/bin/env bash
# Train with several processes of this machine, one a GPU (or CPU processes):
#   tools/dist_train.sh CONFIG PROCESSES [arguments of train.py]
# Several machines: set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
set -e
if [ $# -lt 2 ]; then sed -n '2,4p' "$0" >&2; exit 2; fi
TOOLS=$(dirname "$0")

PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}" exec python -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$2" \
    "$TOOLS/train.py" "$1" --launcher pytorch "${@:3}"
