"""Check model-index.yml and the metafiles under configs/.

They follow OpenMMLab's model index: every folder of recipes has a metafile, every
metafile is imported once, every model names an existing config after which it is
called, every config beside a metafile has its model, names are unique, and results are
numbers.

    python tools/check_metafiles.py [ROOT]
"""

import argparse
import sys
from collections import Counter
from itertools import chain
from numbers import Real
from pathlib import Path

import yaml

# Folders of configs/ that hold no recipes; the tutorial's reader makes the last.
NO_RECIPES = ('_base_', 'benchmarks', 'studies', 'mine')
# Lies beside the demo's configs, and is none.
STUDY = 'study.py'


def check_collection(collection, root):
    """Problems of one entry under Collections, as sentences."""
    if not isinstance(collection.get('Name'), str):
        yield 'a collection has no Name'
        return
    where = f'collection {collection["Name"]}'
    paper = collection.get('Paper') or {}
    for key in ('Title', 'URL'):
        if not isinstance(paper.get(key), str):
            yield f'{where} has no Paper: {key}'
    readme = collection.get('README')
    if not isinstance(readme, str) or not (root / readme).is_file():
        yield f'{where}: README {readme} does not exist'


def check_model(model, collections, root):
    """Problems of one entry under Models, as sentences."""
    if not isinstance(model.get('Name'), str):
        yield 'a model has no Name'
        return
    where = f'model {model["Name"]}'
    if model.get('In Collection') not in collections:
        yield f'{where}: In Collection {model.get("In Collection")} is not defined'
    config = model.get('Config')
    if not isinstance(config, str) or not (root / config).is_file():
        yield f'{where}: Config {config} does not exist'
    elif Path(config).stem != model['Name']:
        yield f'{where}: Name differs from that of its Config {config}'
    if not (model.get('Metadata') or {}).get('Training Data'):
        yield f'{where} has no Metadata: Training Data'
    for result in model.get('Results') or []:
        yield from (f'{where}: {problem}' for problem in check_result(result))


def check_result(result):
    """Problems of one entry under Results, as sentences."""
    for key in ('Task', 'Dataset'):
        if not isinstance(result.get(key), str):
            yield f'a result has no {key}'
    metrics = result.get('Metrics')
    if not isinstance(metrics, dict) or not metrics:
        yield 'a result has no Metrics'
        return
    for name, value in metrics.items():
        if not isinstance(value, Real) or isinstance(value, bool):
            yield f'Metrics: {name} is {value!r}, not a number'


def check_metafile(content, root):
    """Problems of what one metafile holds, as sentences."""
    collections = content.get('Collections') or []
    models = content.get('Models') or []
    if not models:
        yield 'it has no Models'
    for collection in collections:
        yield from check_collection(collection, root)
    names = {collection.get('Name') for collection in collections}
    for model in models:
        yield from check_model(model, names, root)


def check_completeness(path, content, root):
    """Configs beside a metafile that it does not have, as sentences."""
    listed = {model.get('Config') for model in content.get('Models') or []}
    for config in sorted((root / path).parent.glob('*.py')):
        if config.name != STUDY and str(config.relative_to(root)) not in listed:
            yield f'Models lack {config.relative_to(root)}'


def check_names(contents):
    """Names that metafiles, of which MIM makes one index, have more than once."""
    for kind in ('Collections', 'Models'):
        entries = chain.from_iterable(content.get(kind) or [] for content in contents)
        counts = Counter(str(entry.get('Name')) for entry in entries)
        for name in sorted(name for name in counts if counts[name] > 1):
            yield f'{kind}: {name} stands in the metafiles more than once'


def check_folders(root):
    """Folders of recipes without a metafile, as sentences."""
    for folder in sorted({path.parent for path in root.glob('configs/*/*.py')}):
        if folder.name not in NO_RECIPES and not (folder / 'metafile.yml').is_file():
            yield f'{folder.relative_to(root)} has no metafile.yml'


def check_tree(root):
    """Problems of the model index under ``root``, each naming file and field."""
    index = root / 'model-index.yml'
    imported = (yaml.safe_load(index.read_text()) or {}).get('Import') or []
    found = {
        str(path.relative_to(root)) for path in root.glob('configs/**/metafile.yml')
    }
    for path in sorted(found - set(imported)):
        yield f'model-index.yml: Import lacks {path}'
    for path in sorted(set(imported) - found):
        yield f'model-index.yml: Import names {path}, which does not exist'
    contents = {
        path: yaml.safe_load((root / path).read_text()) or {} for path in sorted(found)
    }
    for path, content in contents.items():
        problems = (
            check_metafile(content, root),
            check_completeness(path, content, root),
        )
        yield from (f'{path}: {problem}' for problem in chain(*problems))
    yield from check_folders(root)
    yield from check_names(contents.values())


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    root = Path(__file__).parents[1]
    parser.add_argument('root', nargs='?', type=Path, default=root)
    return parser.parse_args(argv)


def main(argv=None):
    problems = list(check_tree(parse_args(argv).root))
    for problem in problems:
        print(problem)
    sys.exit(bool(problems))


if __name__ == '__main__':
    main()
