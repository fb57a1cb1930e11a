"""The page of all configs: made from the metafiles, and up to date."""

from pathlib import Path

import yaml
from conftest import load_tool

ROOT = Path(__file__).parents[2]

zoo = load_tool('misc/write_model_zoo')

METAFILE = {
    'Collections': [
        {'Name': 'First', 'README': 'configs/x/README.md'},
        {'Name': 'Second', 'README': 'configs/x/second.md'},
    ],
    'Models': [
        {
            **{'Name': 'a', 'In Collection': 'First', 'Config': 'configs/x/a.py'},
            'Metadata': {'Training Data': ['COCO', 'MPII'], 'Paper Row': 'Table 1 (a)'},
            'Results': [
                {'Dataset': 'COCO val', 'Metrics': {'AP': 0.4567, 'AR': 0.5}},
                {'Dataset': 'MPII val', 'Metrics': {'PCK': 0.9, 'AP': 0}},
            ],
        },
        {
            **{'Name': 'b', 'In Collection': 'Second', 'Config': 'configs/x/b.py'},
            'Metadata': {'Training Data': 'COCO'},
        },
    ],
}
SECTIONS = """
## First

[README](../configs/x/README.md)

| Config | Training data | The paper's | Tested on | AP | AR |
| --- | --- | --- | --- | --- | --- |
| [a](../configs/x/a.py) | COCO, MPII | Table 1 (a) | COCO val | 45.7 | 50.0 |
| [a](../configs/x/a.py) | COCO, MPII | Table 1 (a) | MPII val | 0.0 |  |

## Second

[README](../configs/x/second.md)

| Config | Training data | The paper's | Tested on | AP | AR |
| --- | --- | --- | --- | --- | --- |
| [b](../configs/x/b.py) | COCO |  |  |  |  |
"""


def test_sections_of_a_metafile(tmp_path):
    (tmp_path / 'model-index.yml').write_text('Import: [metafile.yml]')
    (tmp_path / 'metafile.yml').write_text(yaml.safe_dump(METAFILE))
    assert zoo.format_page(tmp_path) == zoo.HEAD + SECTIONS


def test_page_is_up_to_date(tmp_path):
    zoo.main(['--out', str(tmp_path / 'zoo.md')])
    written = (tmp_path / 'zoo.md').read_text()
    assert (ROOT / 'docs/model_zoo.md').read_text() == written, (
        'run python tools/misc/write_model_zoo.py'
    )
