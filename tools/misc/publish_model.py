"""Publish a checkpoint: its weights and what they mean, without the state of training.

    python tools/misc/publish_model.py work_dirs/NAME/epoch_22.pth NAME.pth

writes NAME-0123abcd.pth with ``meta`` (the config, the keypoints, versions) and
``state_dict`` alone; the name ends on the first digits of the file's SHA-256, which
downloads are checked by. MMPose's own tool refuses checkpoints of mmengine, as its
torch.load does not know what else than tensors they may hold. Here they are read as
everywhere in this package, and a file that asks for more is refused as well.
"""

import argparse
import hashlib
import io
import pickle
import sys
from pathlib import Path

import torch
from mmengine.runner import CheckpointLoader

from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.checkpoint import find_weights, require_checkpoint


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint', help='file or address')
    parser.add_argument('out', type=Path, metavar='NAME.pth')
    args = parser.parse_args(argv)
    if args.out.suffix != '.pth':
        parser.error(f'{args.out}: the file has to end on .pth')
    return args


def publish(checkpoint: str, out: Path) -> Path:
    """Write the published file; returns its path.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: It holds no weights.
        pickle.UnpicklingError: It is damaged or may run code.
    """
    require_checkpoint(checkpoint)
    content = CheckpointLoader.load_checkpoint(checkpoint, 'cpu')
    weights = find_weights(content, checkpoint)
    buffer = io.BytesIO()
    torch.save(dict(meta=content.get('meta', {}), state_dict=weights), buffer)
    digits = hashlib.sha256(buffer.getvalue()).hexdigest()[:8]
    path = out.with_name(f'{out.stem}-{digits}.pth')
    write_atomically(path, buffer.getvalue())
    return path


def main(argv=None):
    args = parse_args(argv)
    try:
        print(publish(args.checkpoint, args.out))
    except (OSError, ValueError, pickle.UnpicklingError) as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()
