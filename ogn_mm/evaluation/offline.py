"""The AP of keypoints from predictions that a test has left."""

import contextlib
import io
import shutil
from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.evaluator import Evaluator
from mmpose.evaluation import CocoMetric

from ogn_mm.engine.json_files import read_json
from ogn_mm.engine.predictions_file import read_predictions

COCO_FIELDS = ('image_id', 'category_id', 'keypoints', 'score')


def find_coco_metric(cfg: Config) -> ConfigDict:
    """The one metric of keypoints in a config's ``test_evaluator``.

    Raises:
        ValueError: The test has no ``CocoMetric`` or descendant of it, or several.
    """
    metrics = cfg.get('test_evaluator') or []
    metrics = metrics if isinstance(metrics, (list, tuple)) else [metrics]
    # a detector's test has MMDetection's CocoMetric as well, for its boxes
    for kind in ('KeypointDetectionMetric', 'CocoMetric'):
        found = [metric for metric in metrics if metric.type.endswith(kind)]
        if found:
            break
    if len(found) != 1:
        raise ValueError(
            '`test_evaluator` must hold one CocoMetric or KeypointDetectionMetric'
        )
    return found[0]


def evaluate_predictions(
    cfg: Config, ann_file: str, metainfo: dict, predictions: Path, folder: str
) -> tuple[CocoMetric, dict[str, float], Path]:
    """Run a config's metric of keypoints on predictions.

    Args:
        cfg (Config): The config of the test.
        ann_file (str): The annotations, if the metric names none.
        metainfo (dict): Of the data set.
        predictions (Path): A file of ``DumpResults``, or of COCO keypoint results if
            its name ends on .json.
        folder (str): Gets the COCO keypoint results.

    Returns:
        tuple: The metric, its figures by name as the test gave them, and the file of
        results.

    Raises:
        FileNotFoundError: There are no such predictions.
        ValueError: They are none or of other images, or the config does not measure.
    """
    metric = dict(find_coco_metric(cfg), outfile_prefix=f'{folder}/results')
    if metric.get('format_only'):
        raise ValueError('`test_evaluator.format_only`: there is no ground truth')
    metric['ann_file'] = metric.get('ann_file') or ann_file
    results = Path(folder, 'results.keypoints.json')
    is_json = predictions.suffix == '.json'
    samples = read_json(str(predictions)) if is_json else read_predictions(predictions)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluator = Evaluator(metric)
        (metric,) = evaluator.metrics
        evaluator.dataset_meta = metainfo
        _check_samples(
            samples, COCO_FIELDS if is_json else ('img_id',), metric, predictions
        )
        if is_json:
            shutil.copyfile(predictions, results)
            figures = metric._do_python_keypoint_eval(metric.outfile_prefix)
            figures = {f'{metric.prefix}/{name}': value for name, value in figures}
        else:
            figures = evaluator.offline_evaluate(samples, chunk_size=1000)
    return metric, {name: float(value) for name, value in figures.items()}, results


def _check_samples(
    samples, fields: tuple[str, ...], metric: CocoMetric, predictions: Path
) -> None:
    """Raise ValueError unless all samples have the fields, first the image's id."""
    if not isinstance(samples, list) or not samples:
        raise ValueError(f'{predictions}: should be a list of predictions, not empty')
    for i, sample in enumerate(samples):
        missing = [name for name in fields if name not in sample]
        if missing:
            raise ValueError(f'{predictions}: [{i}] lacks `{missing[0]}`')
    unknown = {sample[fields[0]] for sample in samples} - metric.coco.imgs.keys()
    if unknown:
        raise ValueError(
            f'{predictions}: has image {min(unknown)}, which the annotations of '
            '`test_evaluator` do not have'
        )
