"""Settings that stand in several places of a config, and have to agree.

A config file copies its variables into the places that need them while it is read.
A child that sets such a variable anew changes the variable alone: the places keep what
its base has put there, and the child's experiment is the base's. Such a config is
refused here, before anything is built.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner
from mmpose.registry import KEYPOINT_CODECS

# What MMEngine and its launchers read; every other key is a variable of the file.
RUNNER_KEYS = {
    *inspect.signature(Runner.__init__).parameters,
    'runner_type',
    'custom_imports',
    'model_wrapper_cfg',
    'find_unused_parameters',
    'sync_bn',
    'compile',
    'activation_checkpointing',
    'efficient_conv_bn_eval',
} - {'self', 'cfg'}

DATALOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')

# What targets depend on, so that encoding and decoding have to share it.
GEOMETRY = (
    'input_size',
    'heatmap_size',
    'radius',
    'sigma',
    'heatmap_type',
    'simcc_split_ratio',
)

CODEC_ADVICE = (
    'in a file, set the codec in each place, as the recipes do; '
    '`--cfg-options codec.KEY=VALUE` reaches all of them'
)


def type_name(config: dict) -> str:
    """The name, without its scope, of what a config builds; '' if it has no type.

    Args:
        config (dict): Its ``type`` is a name or, as in MMEngine's new configs, a class.
    """
    kind = config.get('type', '')
    return getattr(kind, '__name__', str(kind)).rpartition('.')[2]


def check_agreement(cfg: Config) -> None:
    """Check that places of a config that mean the same say the same.

    - A data loader and its sampler have one ``batch_size``.
    - In top-down models the variable ``codec`` is used by the decoder or the pipelines'
      encoders, and all of these share what targets depend on. (One that differs
      elsewhere was set by itself, as ``model.head.decoder.vote_radius``.)
    - Their pipelines crop to the codec's ``input_size``, which is also the head's.

    Raises:
        ValueError: They differ; the message names both places.
    """
    for name in DATALOADERS:
        loader = cfg.get(name) or {}
        sizes = [
            part.get('batch_size') for part in (loader, loader.get('sampler') or {})
        ]
        if None not in sizes and sizes[0] != sizes[1]:
            raise ValueError(
                f'`{name}.batch_size` is {sizes[0]}, but `{name}.sampler.batch_size` '
                f'is {sizes[1]}'
            )
    if type_name(cfg.get('model') or {}) == 'TopdownPoseEstimator':
        check_codecs(cfg)  # bottom-up models resize their maps before they decode


def check_codecs(cfg: Config) -> None:
    """The part of :func:`check_agreement` about codecs, of top-down models."""
    used, named = list_codecs(cfg), cfg.get('codec')
    decoder = used.get('model.head.decoder')
    if is_codec(named) and used:
        stale = [place for place in used if complete(used[place]) != complete(named)]
        if len(stale) == len(used):
            first = stale[0]
            raise ValueError(describe_difference('codec', named, first, used[first]))
        for place in stale:
            check_targets('codec', named, place, used[place])
    elif decoder is not None:
        for place, codec in used.items():
            if codec_class(decoder) is codec_class(codec):
                check_targets('model.head.decoder', decoder, place, codec)
    if decoder is not None:
        check_sizes(cfg, decoder)


def list_codecs(cfg: Config) -> dict[str, dict]:
    """The codecs of a config's decoders and encoders by their dotted places."""
    parts = [('model', 'decoder'), *((name, 'encoder') for name in DATALOADERS)]
    return {
        place: codec
        for name, key in parts
        for place, codec in find_codecs(cfg.get(name) or {}, key, name)
    }


def find_codecs(node, key: str, path: str) -> Iterator[tuple[str, dict]]:
    """Dotted places and configs of the codecs that are named by ``key`` below a node.

    A list of codecs gives each of its items.
    """
    for place, value in walk(node, path):
        if place.rpartition('.')[2] != key:
            continue
        several = isinstance(value, (list, tuple))
        for i, codec in enumerate(value if several else [value]):
            if is_codec(codec):
                yield (f'{place}.{i}' if several else place), codec


def walk(node, path: str = '') -> Iterator[tuple[str, object]]:
    """Every value in nested dicts and lists, with its dotted place."""
    if path:
        yield path, node
    if hasattr(node, 'items'):
        items = node.items()
    else:
        items = enumerate(node) if isinstance(node, (list, tuple)) else ()
    for key, value in items:
        yield from walk(value, f'{path}.{key}' if path else str(key))


def codec_class(codec) -> type | None:
    """The class of a codec's config; None if it is no codec's."""
    kind = codec.get('type') if hasattr(codec, 'get') else None
    return KEYPOINT_CODECS.get(kind) if isinstance(kind, str) else kind


def is_codec(node) -> bool:
    """Whether a node is the config of a keypoint codec."""
    return codec_class(node) is not None


def complete(codec: dict) -> dict:
    """A codec's config with its defaults, its class, and lists for tuples."""
    kind = codec_class(codec)
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.default is not parameter.empty
    }
    return as_lists(defaults | dict(codec) | {'type': kind})


def as_lists(node):
    """A nested structure with lists for tuples, and without MMEngine's scopes."""
    if hasattr(node, 'items'):
        return {key: as_lists(node[key]) for key in node if key != '_scope_'}
    return list(map(as_lists, node)) if isinstance(node, (list, tuple)) else node


def describe_difference(place: str, codec: dict, other: str, found: dict) -> str:
    """A sentence about the first argument in which two codecs differ."""
    first, second = complete(codec), complete(found)
    keys = [key for key in {**first, **second} if first.get(key) != second.get(key)]
    if 'type' in keys:
        return (
            f'`{place}` is {first["type"].__name__}, but `{other}` is '
            f'{second["type"].__name__}: {CODEC_ADVICE}'
        )
    key = keys[0]
    return (
        f'`{place}.{key}` is {first.get(key)}, but `{other}.{key}` is '
        f'{second.get(key)}: {CODEC_ADVICE}'
    )


def check_targets(place: str, codec: dict, other: str, found: dict) -> None:
    """Raise ValueError if two codecs make other targets."""
    first, second = complete(codec), complete(found)
    counts = {'type', *GEOMETRY}
    if 'vote_radius' in first:  # OffsetHeatmap smooths when it decodes
        counts.remove('sigma')
    if any(first.get(key) != second.get(key) for key in counts):
        shared = dict.fromkeys(set(first) - counts)
        raise ValueError(
            describe_difference(place, {**codec, **shared}, other, {**found, **shared})
        )


def check_sizes(cfg: Config, decoder: dict) -> None:
    """Raise ValueError if a crop or the head has another size than the codec."""
    sizes = [('model.head', cfg.model.head, ('input_size', 'simcc_split_ratio'))]
    for name in DATALOADERS:
        for place, step in walk(cfg.get(name) or {}, name):
            if hasattr(step, 'get') and type_name(step).endswith('TopdownAffine'):
                sizes.append((place, step, ('input_size',)))
    for place, node, keys in sizes:
        for key in keys:
            ours, other = as_lists(decoder.get(key)), as_lists(node.get(key))
            if None not in (ours, other) and ours != other:
                raise ValueError(
                    f'`model.head.decoder.{key}` is {ours}, but `{place}.{key}` is '
                    f'{other}'
                )


def check_variables(cfg: Config) -> None:
    """Check that the variables of a file are used as in the files it inherits from.

    A variable whose value stands nowhere in what MMEngine reads is at fault if a base
    uses the value that it has there, and all these places still hold that one.

    Args:
        cfg (Config): As read from a file, before anything is merged into it.

    Raises:
        ValueError: A variable was set anew, and nothing follows it.
    """
    read, variables = split_config(cfg)
    unused = {
        name: value
        for name, value in variables.items()
        # a number may stand elsewhere by chance
        if isinstance(value, int | float) or not find_value(read, value)
    }
    codecs = list_codecs(cfg).values()
    if any(as_lists(codec) != variables.get('codec') for codec in codecs):
        unused['codec'] = variables.get('codec')  # one place may have been forgotten
    for path in list_bases(cfg.filename) if unused else ():
        names = unused.keys() & set(re.findall(r'\w+', Path(path).read_text()))
        if not names:
            continue
        read_before, before = split_config(
            Config.fromfile(path, import_custom_modules=False)
        )
        for name in names & before.keys():
            places = find_value(read_before, before[name], name)
            if same_value(unused[name], before[name]):
                if places:  # it was followed when it was set
                    del unused[name]
                continue
            still = set(places) & set(find_value(read, before[name], name))
            if still and (name == 'codec' or len(still) == len(places)):
                listed = '`, `'.join(sorted(still)[:3])
                raise ValueError(
                    f'`{name}` is set anew, but `{listed}` still follows its value in '
                    f'{path}: a file has to set each place that uses a variable'
                )


def same_value(value, other) -> bool:
    """Whether two values mean the same, codecs with their defaults."""
    if is_codec(value) and is_codec(other):
        return complete(value) == complete(other)
    return value == other


def split_config(cfg: Config) -> tuple[dict, dict]:
    """What MMEngine reads of a config, and the variables, as plain dicts and lists."""
    content = as_lists(cfg._cfg_dict)
    read = {key: value for key, value in content.items() if key in RUNNER_KEYS}
    return read, {key: content[key] for key in content.keys() - RUNNER_KEYS}


def list_bases(path: str) -> Iterator[str]:
    """The files from which a config inherits by ``_base_``, each before its own."""
    if path.endswith('.py') and Config._is_lazy_import(path):
        return  # Python's own imports say what is inherited
    for base in Config._get_base_files(path):
        location, _ = Config._get_cfg_path(base, path)
        yield location
        yield from list_bases(location)


def find_value(node, value, name: str = '') -> list[str]:
    """The dotted places of a value, or of texts that begin with it.

    What stands anywhere by chance is not looked for: None, flags, whole numbers below
    17, and texts of less than four letters; and other numbers only, where the name of a
    variable is given, under keys that share a part with it, as ``lr`` with ``base_lr``.
    """
    trivial = value is None or isinstance(value, bool)
    if isinstance(value, int | float):
        trivial = trivial or value in range(17)
    elif hasattr(value, '__len__'):
        trivial = len(value) < (4 if isinstance(value, str) else 1)
    if trivial:
        return []
    is_text, is_number = isinstance(value, str), isinstance(value, int | float)

    def related(place: str) -> bool:
        key = place.rpartition('.')[2]
        return not (name and is_number) or key in name or name in key

    return [
        place
        for place, found in walk(node)
        if (found == value and related(place))
        or (is_text and isinstance(found, str) and found.startswith(value))
    ]
