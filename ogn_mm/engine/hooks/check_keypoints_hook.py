import numpy as np
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmpose.registry import HOOKS

from ogn_mm.codecs import OffsetHeatmap
from ogn_mm.engine.truth_check import check_truth


def check_metainfo(metainfo: dict):
    """Check that a dataset's metainfo agrees with itself.

    Args:
        metainfo (dict): MMPose's parsed dataset metainfo.

    Raises:
        ValueError: ``flip_indices``, ``sigmas`` or ``joint_weights`` have not one
            entry a keypoint, or ``flip_indices`` do not swap in pairs.
    """
    count = metainfo['num_keypoints']
    place = f'The metainfo of dataset `{metainfo["dataset_name"]}`'
    for field, key in (
        ('flip_indices', 'flip_indices'),
        ('sigmas', 'sigmas'),
        ('joint_weights', 'dataset_keypoint_weights'),
    ):
        if len(metainfo[key]) != count:
            raise ValueError(
                f'{place} has {count} keypoints but {len(metainfo[key])} `{field}`.'
            )
    flip = metainfo['flip_indices']
    for index, partner in enumerate(flip):
        if not 0 <= partner < count or flip[partner] != index:
            raise ValueError(
                f'{place} has `flip_indices` that do not swap in pairs: '
                f'{index} -> {partner}.'
            )


def count_head_keypoints(head):
    """The number of keypoints that an MMPose head predicts; None if it has none."""
    for name in ('num_keypoints', 'out_channels', 'num_joints'):
        if hasattr(head, name):
            channels = getattr(head, name)
            # UDPHeatmap's combined target has three channels a keypoint
            decoder = getattr(head, 'decoder', None)
            combined = getattr(decoder, 'heatmap_type', None) == 'combined'
            return channels // 3 if combined else channels
    return None


def find_keypoint_head(model) -> tuple:
    """Name of the keypoint head, of one stage or two, and the head, if there is one."""
    roi_head = getattr(model, 'roi_head', None)
    if hasattr(roi_head, 'keypoint_head'):
        return 'model.roi_head.keypoint_head', roi_head.keypoint_head
    return 'model.head', getattr(model, 'head', None)


def list_transforms(dataset) -> list:
    """The transforms of a dataset and of the datasets that it wraps."""
    transforms = list(getattr(getattr(dataset, 'pipeline', None), 'transforms', ()))
    wrapped = [*getattr(dataset, 'datasets', ())]
    wrapped += [dataset.dataset] if hasattr(dataset, 'dataset') else []
    for part in wrapped:
        transforms += list_transforms(part)
    return transforms


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


def check_images(loop, name: str) -> None:
    """Check that a metric knows the images that a loop gives to the network.

    A hundred samples are looked at.

    Args:
        loop (ValLoop | TestLoop): With data set and evaluator.
        name (str): 'val' or 'test', for the message.

    Raises:
        ValueError: An image is none of the metric's, or has another file name there.
    """
    dataset = loop.dataloader.dataset
    for metric in loop.evaluator.metrics:
        images = getattr(getattr(metric, 'coco', None), 'imgs', None)
        if not images or not hasattr(dataset, 'get_data_info'):
            continue
        chosen = np.linspace(0, len(dataset) - 1, min(100, len(dataset)))
        for sample in map(dataset.get_data_info, chosen.astype(int).tolist()):
            image = images.get(sample['img_id'], {}).get('file_name')
            if image is None or not sample['img_path'].endswith(image):
                raise ValueError(
                    f'{metric.ann_file}: `ann_file` of `{name}_evaluator` has '
                    f'{image or "no image"} under id {sample["img_id"]}, which is '
                    f'{sample["img_path"]} in `{name}_dataloader`'
                )


@HOOKS.register_module()
class CheckKeypointsHook(Hook):
    """Check at start-up that datasets and head mean the same keypoints.

    Covers the datasets of training, validation and testing, each before it is first
    used (validation's already before training).

    Raises:
        ValueError: The keypoint counts of a dataset's metainfo, its flip indices,
            sigmas and joint weights, and the head differ; or the head decodes
            :class:`OffsetHeatmap` and a pipeline crops or encodes otherwise; or a
            metric has annotations of other images than the dataset, or no truth.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner):
        self._check(runner, runner.train_dataloader, 'train_dataloader')
        if runner.val_loop is not None:
            self.before_val(runner)

    def before_val(self, runner):
        self._check(runner, runner.val_dataloader, 'val_dataloader')
        check_images(runner.val_loop, 'val')
        check_truth(runner.val_loop, 'val')

    def before_test(self, runner):
        self._check(runner, runner.test_dataloader, 'test_dataloader')
        check_images(runner.test_loop, 'test')
        check_truth(runner.test_loop, 'test')

    def _check(self, runner, dataloader, name):
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        field, head = find_keypoint_head(model)
        decoder = getattr(head, 'decoder', None)
        if isinstance(decoder, OffsetHeatmap):
            check_transforms(list_transforms(dataloader.dataset), decoder, name)

        metainfo = getattr(dataloader.dataset, 'metainfo', {})
        if 'num_keypoints' not in metainfo:
            return
        check_metainfo(metainfo)
        predicted = count_head_keypoints(head)
        if predicted not in (None, metainfo['num_keypoints']):
            raise ValueError(
                f'`{field}` predicts {predicted} keypoints, but the dataset '
                f'`{metainfo["dataset_name"]}` of `{name}` has '
                f'{metainfo["num_keypoints"]}; set its number of keypoints, or the '
                '`metainfo` of the dataset, to match.'
            )
