"""Images from files that may be broken."""

from mmpose.datasets.transforms import LoadImage
from mmpose.registry import TRANSFORMS

from ogn_mm.datasets.images import read_image
from ogn_mm.engine.config_agreement import type_name


@TRANSFORMS.register_module()
class LoadCheckedImage(LoadImage):
    """MMPose's `LoadImage` for files that may be broken, by :func:`read_image`.

    It also stands in for MMCV's `LoadImageFromFile`. The data sets of this package put
    it in the place of both.

    Required Keys:

    - img_path, or img
    - img_shape, or height and width (optional): what the annotations say

    Modified Keys:

    - img, img_shape, ori_shape

    Raises:
        BrokenImageError: The file is no image, or not a whole one.
        ValueError: Its size is not what the annotations say. This is how a picture
            whose annotations do not follow its EXIF orientation comes to light.
    """

    def transform(self, results: dict) -> dict:
        if 'img' not in results:
            path = results['img_path']
            image = read_image(
                path, self.color_type, self.imdecode_backend, self.backend_args
            )
            check_size(image.shape[:2], annotated_size(results), path)
            results['img'] = image
        return super().transform(results)


def annotated_size(results: dict) -> tuple | None:
    """Height and width, as data sets of MMPose or MMDetection give them."""
    if 'img_shape' in results:
        return tuple(results['img_shape'])
    if 'height' in results:
        return results['height'], results['width']
    return None


def check_size(found: tuple, annotated: tuple | None, path: str) -> None:
    """Raise ValueError if an image has not the size, (H, W), of its annotations."""
    if annotated in (None, found):
        return
    height, width = found
    hint = '; its EXIF orientation was followed' if annotated[::-1] == found else ''
    raise ValueError(
        f'{path}: is {width} x {height} pixels, but {annotated[1]} x {annotated[0]} by '
        f'the annotations{hint}'
    )


def use_checked_images(pipeline):
    """A pipeline's config with `LoadCheckedImage` for the loaders of upstream.

    Also in the pipelines that it holds, such as those of `RandomChoice` and `Mosaic`.
    """
    if isinstance(pipeline, dict):
        loads = type_name(pipeline) in ('LoadImage', 'LoadImageFromFile')
        checked = {key: use_checked_images(value) for key, value in pipeline.items()}
        return dict(checked, type='mmpose.LoadCheckedImage') if loads else checked
    if isinstance(pipeline, (list, tuple)):
        return type(pipeline)(use_checked_images(step) for step in pipeline)
    return pipeline
