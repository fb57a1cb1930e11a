#!/usr/bin/env bash
# Test with several processes of this machine, one a GPU (or CPU processes):
#   tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [arguments of test.py]
# CHECKPOINT is '' for a video model whose parts name theirs.
# Several machines: set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
set -e
if [ $# -lt 3 ]; then sed -n '2,5p' "$0" >&2; exit 2; fi
TOOLS=$(dirname "$0")

PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}" exec python -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$3" \
    "$TOOLS/test.py" "$1" "$2" --launcher pytorch "${@:4}"
