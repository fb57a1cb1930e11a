from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmpose.registry import HOOKS

from ogn_mm.codecs import OffsetHeatmap
from ogn_mm.engine.category_check import use_keypoint_categories
from ogn_mm.engine.config_agreement import check_agreement
from ogn_mm.engine.dataset_check import (
    check_same_keypoints,
    check_wrapped,
    list_metainfo,
    list_transforms,
)
from ogn_mm.engine.evaluator_check import check_coverage, check_images
from ogn_mm.engine.skeletons import count_head_keypoints, find_keypoint_head
from ogn_mm.engine.truth_check import check_truth


def check_transforms(transforms: list, decoder: OffsetHeatmap, name: str) -> None:
    """Check that a pipeline crops and encodes as the head's codec decodes.

    Args:
        transforms (list): The pipeline's transforms.
        decoder (OffsetHeatmap): The head's codec.
        name (str): The data loader, for the message.

    Raises:
        ValueError: The crop has another size or UDP's coordinates, or the targets are
            encoded by another codec, or with another size or radius.
    """
    for transform in transforms:
        place = f'`{type(transform).__name__}` in the pipeline of `{name}`'
        if getattr(transform, 'use_udp', False):
            raise ValueError(
                f'{place} has `use_udp=True`; OffsetHeatmap needs `use_udp=False`, for '
                "its pixels' centres are integers."
            )
        found = {'input_size': getattr(transform, 'input_size', None)}
        encoder = getattr(transform, 'encoder', None)
        if isinstance(encoder, OffsetHeatmap):
            found = {
                key: getattr(encoder, key)
                for key in ('input_size', 'heatmap_size', 'radius')
            }
        elif encoder is not None:
            raise ValueError(
                f'{place} has the encoder {type(encoder).__name__}, but '
                '`model.head.decoder` is OffsetHeatmap.'
            )
        for key, value in found.items():
            if value not in (None, getattr(decoder, key)):
                raise ValueError(
                    f'{place} has `{key}` {value}, but `model.head.decoder` has '
                    f'{getattr(decoder, key)}.'
                )


def select_keypoints(model, field: str, predicted: int) -> int:
    """How many of a head's keypoints a model gives in tests.

    Raises:
        ValueError: ``test_cfg.output_keypoint_indices`` has what the head has not.
    """
    chosen = getattr(model, 'test_cfg', None) or {}
    chosen = chosen.get('output_keypoint_indices')
    if chosen is None:
        return predicted
    if len(set(chosen)) < len(chosen):
        raise ValueError(
            '`model.test_cfg.output_keypoint_indices` names a keypoint twice'
        )
    wrong = [k for k in chosen if not 0 <= k < predicted]
    if wrong:
        raise ValueError(
            f'`model.test_cfg.output_keypoint_indices` has {wrong[0]}, but `{field}` '
            f'predicts {predicted} keypoints, from 0 on'
        )
    return len(chosen)


def check_flip_test(model, field: str, predicted: int, metainfo: dict) -> None:
    """Raise ValueError if a test with flipped images would swap other keypoints."""
    known = getattr(model, 'metainfo', None) or metainfo
    flips = (getattr(model, 'test_cfg', None) or {}).get('flip_test')
    if flips and len(known['flip_indices']) != predicted:
        raise ValueError(
            f'`model.test_cfg.flip_test` needs flip indices for the {predicted} '
            f'keypoints of `{field}`, but those of `{known["dataset_name"]}` are for '
            f'{len(known["flip_indices"])}; give `model` the `metainfo` that it is '
            'trained with'
        )


def unwrap(model):
    """The model in what distributes it."""
    return model.module if is_model_wrapper(model) else model


def model_dataset(runner) -> str | None:
    """The name of the data set by the model's own metainfo, which samples get."""
    return (getattr(unwrap(runner.model), 'metainfo', None) or {}).get('dataset_name')


@HOOKS.register_module()
class CheckKeypointsHook(Hook):
    """Check at start-up that datasets and head mean the same keypoints.

    Covers the datasets of training, validation and testing, each before it is first
    used (validation's already before training).

    Raises:
        ValueError: The keypoint counts of a dataset's metainfo, its flip indices,
            sigmas and joint weights, those of the datasets that it wraps, and the head
            (in tests, what ``output_keypoint_indices`` selects of it) differ; or the
            head decodes :class:`OffsetHeatmap` and a pipeline crops or encodes
            otherwise; or keypoints of validation are named or flipped otherwise than
            those of training; or a metric has annotations of other images than the
            dataset, or no truth; or the config's `codec` is not what its head and
            pipelines use.
    """

    priority = 'VERY_HIGH'

    def __init__(self):
        self.covered: set[str] = set()

    def before_run(self, runner):
        check_agreement(runner.cfg)

    def before_train(self, runner):
        self._check(runner, runner.train_dataloader, 'train_dataloader')
        if runner.val_loop is not None:
            self.before_val(runner)
            tested = getattr(unwrap(runner.model), 'test_cfg', None) or {}
            check_same_keypoints(
                runner.train_dataloader.dataset,
                runner.val_dataloader.dataset,
                'val_dataloader',
                tested.get('output_keypoint_indices'),
            )

    def before_val(self, runner):
        self._check_loop(runner, runner.val_loop, 'val')

    def before_test(self, runner):
        self._check_loop(runner, runner.test_loop, 'test')

    def _check_loop(self, runner, loop, name):
        """Check data set and metrics of a loop that begins."""
        self._check(runner, loop.dataloader, f'{name}_dataloader')
        check_images(loop, name, model_dataset(runner))
        check_truth(loop, name)
        use_keypoint_categories(loop, name)
        if name not in self.covered:  # which reads the data set, and would warn anew
            self.covered.add(name)
            unseen = check_coverage(loop, name)
            if unseen:
                runner.logger.warning(unseen)

    def _check(self, runner, dataloader, name):
        model = unwrap(runner.model)
        field, head = find_keypoint_head(model)
        decoder = getattr(head, 'decoder', None)
        if isinstance(decoder, OffsetHeatmap):
            check_transforms(list_transforms(dataloader.dataset), decoder, name)

        check_wrapped(dataloader.dataset, name)
        predicted = count_head_keypoints(head)
        if predicted is None:
            return
        given = predicted
        if name != 'train_dataloader':
            given = select_keypoints(model, field, predicted)
        for metainfo in list_metainfo(dataloader.dataset):
            if given != metainfo['num_keypoints']:
                raise ValueError(
                    f'`{field}` {"predicts" if given == predicted else "gives"} '
                    f'{given} keypoints, but the dataset `{metainfo["dataset_name"]}` '
                    f'of `{name}` has {metainfo["num_keypoints"]}; set its number of '
                    'keypoints, or the `metainfo` of the dataset, to match.'
                )
            if name != 'train_dataloader':
                check_flip_test(model, field, predicted, metainfo)
