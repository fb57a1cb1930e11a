"""Predicted boxes in place of annotated ones, in training (section 3.1.3)."""

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from ogn_mm.structures.bbox import apply_box_errors, box_iou


def check_share(transform: BaseTransform, share: float) -> None:
    """Raise ValueError unless a transform's ``share`` is a probability."""
    if not 0 <= share <= 1:
        raise ValueError(f'{type(transform).__name__}: share must be 0 to 1: {share}')


def check_order(transform: BaseTransform, results: dict) -> None:
    """Raise ValueError if the crop was derived from the box already."""
    if 'bbox_center' in results:
        raise ValueError(
            f'{type(transform).__name__} changes the box: it has to come before '
            'GetBBoxCenterScale in the pipeline'
        )


@TRANSFORMS.register_module()
class RandomDetectedBox(BaseTransform):
    """Take one of a person's detections as the box, or keep the annotated one.

    With probability ``share`` the box is one of the person's detections, each with
    equal chance; a person without good detections keeps the annotated box. The paper
    mixes the two but names no share; one half is our choice. Two numbers are drawn
    from numpy's global generator, whatever comes of it.

    Required Keys:

        - bbox
        - detected_bboxes, which
          :class:`~ogn_mm.datasets.MixedBoxCocoDataset` provides

    Modified Keys:

        - bbox

    Args:
        share (float): Probability, in [0, 1]. Defaults to 0.5.

    Raises:
        ValueError: If ``share`` is out of its range, or the crop's centre was
            computed before.
        KeyError: If the data set provides no ``detected_bboxes``.
    """

    def __init__(self, share: float = 0.5):
        self.share = share
        check_share(self, share)

    def transform(self, results: dict) -> dict:
        check_order(self, results)
        if 'detected_bboxes' not in results:
            raise KeyError(
                'RandomDetectedBox needs the data set MixedBoxCocoDataset, which '
                'provides `detected_bboxes`'
            )
        detected = results['detected_bboxes']
        chance, choice = np.random.random_sample(2)  # noqa: NPY002
        if chance < self.share and len(detected):
            results['bbox'] = detected[[int(choice * len(detected))]]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(share={self.share})'


@TRANSFORMS.register_module()
class RandomDetectorError(BaseTransform):
    """Displace the box as a detector would, where its detections are not at hand.

    With probability ``share`` the box gets errors drawn from a normal distribution in
    the units of :func:`~ogn_mm.structures.bbox.box_errors`: centre over width and
    height, and logarithms of width and height. A box displaced to an IoU below
    ``iou_thr`` is refused and the annotated one kept, as with poor detections.

    ``tools/dataset_tools/fit_box_errors.py`` measures mean, covariance and share on a
    detector's results. There are no defaults, since there is no detector in general.
    Five numbers are drawn from numpy's global generator, whatever comes of it.

    Required Keys:

        - bbox

    Modified Keys:

        - bbox

    Args:
        mean (Sequence[float]): Of dx / w, dy / h, log(w' / w), log(h' / h), (4,).
        covariance (Sequence): Theirs, (4, 4), symmetric, positive semi-definite.
        share (float): Probability, in [0, 1].
        iou_thr (float): Lowest IoU that is accepted, in [0, 1]. Defaults to 0.5.

    Raises:
        ValueError: If an argument is out of its range, or the crop's centre was
            computed before.
    """

    def __init__(
        self,
        mean: Sequence[float],
        covariance: Sequence[Sequence[float]],
        share: float,
        iou_thr: float = 0.5,
    ):
        name = type(self).__name__
        rows = {np.size(row) for row in covariance}  # of one length, or it is no array
        self.mean = np.array(mean, float)
        self.covariance = np.array(covariance if rows == {4} else 0, float)
        self.share, self.iou_thr = share, iou_thr
        check_share(self, share)
        if self.mean.shape != (4,) or not np.isfinite(self.mean).all():
            raise ValueError(f'{name}: mean must be 4 numbers, got {mean}')
        if self.covariance.shape != (4, 4) or not np.isfinite(self.covariance).all():
            raise ValueError(f'{name}: covariance must be 4 x 4 numbers: {covariance}')
        values, vectors = np.linalg.eigh(self.covariance)
        symmetric = np.array_equal(self.covariance, self.covariance.T)
        # the tool rounds
        if not symmetric or values[0] < -1e-4 * values[-1]:
            raise ValueError(
                f'{name}: covariance must be symmetric and positive semi-definite'
            )
        self.root = vectors * np.sqrt(values.clip(0))

    def transform(self, results: dict) -> dict:
        check_order(self, results)
        chance = np.random.random_sample()  # noqa: NPY002
        errors = self.mean + self.root @ np.random.standard_normal(4)  # noqa: NPY002
        if chance < self.share:
            box = apply_box_errors(results['bbox'], errors).astype(np.float32)
            if (box_iou(box, results['bbox']) >= self.iou_thr).all():
                results['bbox'] = box
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(mean={self.mean.tolist()}, '
            f'covariance={self.covariance.tolist()}, share={self.share}, '
            f'iou_thr={self.iou_thr})'
        )
