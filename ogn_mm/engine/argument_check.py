"""Wrong types in a config, before a constructor stumbles over them.

The arguments of this package's own classes have annotations; what does not match them
is an error that names the place in the config, the class and the argument.
"""

import inspect
import re
import sys
from collections.abc import Mapping
from collections.abc import Sequence as AnySequence
from functools import cache
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

import mmdet.registry
import mmpose.registry
from mmengine.registry import Registry

from .json_files import LARGEST_ID, shown

# Arguments that are numbers of things, or several.
COUNTED = re.compile('num_|.*(channels|sizes?)$')
PACKAGE = __package__.partition('.')[0]


def check_arguments(node, path: str = '') -> None:
    """Check the arguments of this package's classes in nested dicts and lists.

    Args:
        node: A config, or a part of it.
        path (str): Where it is, for the message. Defaults to the root.

    Raises:
        ValueError: An argument has a wrong type, or is not finite.
    """
    if isinstance(node, Mapping):
        items = node.items()
        for name, hint in arguments_of(node.get('type')):
            problem = find_problem(name, node[name], hint) if name in node else None
            if problem:
                place = f'{path}.{name}' if path else name
                raise ValueError(
                    f'`{place}` of {node["type"]} {problem}, found {shown(node[name])}'
                )
    elif isinstance(node, (list, tuple)):
        items = enumerate(node)
    else:
        return
    for key, value in items:
        check_arguments(value, f'{path}.{key}' if path else str(key))


def find_problem(name: str, value, hint) -> str | None:
    """What is wrong with an argument, if anything is."""
    if not fits(value, hint):
        return f'should be {inspect.formatannotation(hint)}'
    if COUNTED.match(name) and is_negative(value):
        return 'should not be negative'
    return None


def is_negative(value) -> bool:
    """Whether a number is below 0, or one of a list."""
    if isinstance(value, (list, tuple)):
        return any(map(is_negative, value))
    return isinstance(value, Real) and value < 0


def arguments_of(kind) -> list[tuple]:
    """Names and types of the arguments of a class of this package, else nothing."""
    name = kind.__name__ if inspect.isclass(kind) else kind
    found = own_classes().get(name.rpartition('.')[2] if isinstance(name, str) else '')
    return list(annotations(found).items()) if found else []


@cache
def annotations(kind: type) -> dict:
    """Types by argument of a class, and of this package's parents of it.

    Upstream's annotations are no promise: MMPose's visualizers take lists as ``Dict``.
    """
    hints = {}
    for parent in kind.__mro__:
        init = vars(parent).get('__init__')
        if not inspect.isfunction(init) or not init.__module__.startswith(PACKAGE):
            continue
        parameters = inspect.signature(init).parameters
        for name, hint in get_type_hints(init).items():
            if name in parameters:
                # as parameters were once annotated
                optional = parameters[name].default is None
                hints.setdefault(name, hint | None if optional else hint)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            break
    return hints


@cache
def own_classes() -> dict[str, type]:
    """The classes that this package has registered, by their names."""
    return {
        name: found
        for module in (mmpose.registry, mmdet.registry)
        for registry in vars(module).values()
        if isinstance(registry, Registry)
        for name, found in registry.module_dict.items()
        if inspect.isclass(found) and found.__module__.startswith(PACKAGE)
    }


def fits(value, hint) -> bool:
    """Whether a value of a config is of an annotated type; what is unknown fits.

    Lists and tuples are alike, and numbers have to be finite.
    """
    origin, args = get_origin(hint) or hint, get_args(hint)
    if origin in (Union, UnionType):
        return any(fits(value, arg) for arg in args)
    if origin is Literal:
        return value in args
    if origin is float:
        number = isinstance(value, Real) and not isinstance(value, bool)
        return number and abs(value) <= sys.float_info.max
    if origin is int:
        number = isinstance(value, Integral) and not isinstance(value, bool)
        return number and abs(value) <= LARGEST_ID
    if origin in (bool, str, NoneType):
        return isinstance(value, origin)
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return isinstance(value, Mapping)
    if origin in (list, tuple, AnySequence):
        if not isinstance(value, (list, tuple)):
            return False
        if origin is tuple and args and args[-1] is not Ellipsis:
            return len(value) == len(args) and all(map(fits, value, args))
        return all(fits(item, args[0]) for item in value) if args else True
    return True
