"""Write docs/model_zoo.md from the metafiles: the configs and what was measured.

    python tools/misc/write_model_zoo.py [--out FILE]

A test fails while the page differs from what this writes.
"""

import argparse
from pathlib import Path

import yaml

from ogn_mm.engine.atomic_write import write_atomically

ROOT = Path(__file__).parents[2]
HEAD = """\
# Model zoo

The configs of this package, and what was measured: AP and AR of keypoints, in %, means
over the seeds of the [studies](results/README.md) that are kept. A row without them was
not measured, and no checkpoints are published. Studies that vary the options of a
config stand in the READMEs, and so do the paper's figures.

This page is made from the metafiles by `tools/misc/write_model_zoo.py`.
"""
COLUMNS = ('Config', 'Training data', "The paper's", 'Tested on', 'AP', 'AR')


def load_metafiles(root: Path):
    """What the metafiles hold, in the order of model-index.yml."""
    index = yaml.safe_load((root / 'model-index.yml').read_text())
    for path in index['Import']:
        yield yaml.safe_load((root / path).read_text())


def list_rows(model: dict):
    """The cells of a model's rows: one for each result, or one without any."""
    metadata = model['Metadata']
    data = metadata['Training Data']
    first = (
        f'[{model["Name"]}](../{model["Config"]})',
        ', '.join(data) if isinstance(data, list) else data,
        metadata.get('Paper Row', ''),
    )
    for result in model.get('Results', [{}]):
        metrics = result.get('Metrics', {})
        percent = (
            f'{100 * metrics[name]:.1f}' if name in metrics else ''
            for name in ('AP', 'AR')
        )
        yield (*first, result.get('Dataset', ''), *percent)


def format_collection(collection: dict, models: list[dict]) -> str:
    """A collection's section: its README and the table of its models."""
    rows = [COLUMNS, ['---'] * len(COLUMNS)]
    for model in models:
        if model['In Collection'] == collection['Name']:
            rows.extend(list_rows(model))
    table = ''.join(f'| {" | ".join(cells)} |\n' for cells in rows)
    readme = f'[README](../{collection["README"]})'
    return f'\n## {collection["Name"]}\n\n{readme}\n\n{table}'


def format_page(root: Path) -> str:
    """The whole page, in Markdown, with links from docs/."""
    return HEAD + ''.join(
        format_collection(collection, content['Models'])
        for content in load_metafiles(root)
        for collection in content['Collections']
    )


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--out', type=Path, default=ROOT / 'docs/model_zoo.md')
    return parser.parse_args(argv)


def main(argv=None):
    write_atomically(parse_args(argv).out, format_page(ROOT))


if __name__ == '__main__':
    main()
