"""The AP of keypoints from predictions that a test has left."""

import contextlib
import io
import shutil
from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from mmpose.evaluation import CocoMetric

from ogn_mm.datasets.categories import (
    check_result_categories,
    check_sample_categories,
    leave_out_boxes,
)
from ogn_mm.datasets.checks import check_annotations, check_results
from ogn_mm.datasets.keypoint_names import note_keypoint_names
from ogn_mm.engine.config_agreement import type_name
from ogn_mm.engine.config_check import read_config
from ogn_mm.engine.json_files import Records, printable, read_json
from ogn_mm.engine.predictions_file import read_predictions

from .functional import with_every_pose
from .metrics import KeypointDetectionMetric


def load_test_config(path: str, options: dict) -> Config:
    """Read the config of a test, and let the registries look where it says.

    Args:
        path (str): The config file.
        options (dict): Settings that override its own.

    Raises:
        ValueError: The config cannot be meant, or an option is misspelt.
    """
    cfg = read_config(path, options)
    init_default_scope(cfg.get('default_scope', 'mmpose'))
    return cfg


def find_coco_metric(cfg: Config) -> ConfigDict:
    """The one metric of keypoints in a config's ``test_evaluator``.

    Raises:
        ValueError: The test has no ``CocoMetric`` or descendant of it, or several.
    """
    metrics = cfg.get('test_evaluator') or []
    metrics = metrics if isinstance(metrics, (list, tuple)) else [metrics]
    # a detector's test has MMDetection's CocoMetric as well, for its boxes
    for kind in ('KeypointDetectionMetric', 'CocoMetric'):
        found = [metric for metric in metrics if type_name(metric).endswith(kind)]
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
        folder (str): Gets the COCO keypoint results, predictions.keypoints.json.

    Returns:
        tuple: The metric, its figures by name as the test gave them, and the file of
        results.

    Raises:
        FileNotFoundError: There are no such predictions.
        ValueError: They are none or of other images or categories, the annotations are
            unusable, or the config does not measure.
    """
    metric = dict(find_coco_metric(cfg), outfile_prefix=f'{folder}/predictions')
    if metric.get('format_only'):
        raise ValueError('`test_evaluator.format_only`: there is no ground truth')
    metric['ann_file'] = metric.get('ann_file') or ann_file
    annotations = read_json(metric['ann_file'])
    check_annotations(
        annotations,
        metric['ann_file'],
        metainfo['num_keypoints'],
        evaluated=True,
        with_area=metric.get('use_area', True),
    )
    note_keypoint_names(annotations, metric['ann_file'], metainfo)
    results = Path(folder, 'predictions.keypoints.json')
    is_json = predictions.suffix == '.json'
    samples = read_json(str(predictions)) if is_json else read_predictions(predictions)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluator = Evaluator(metric)
        (metric,) = evaluator.metrics
        evaluator.dataset_meta = metainfo
        leave_out_boxes(metric.coco)
        if is_json:
            check_keypoint_results(samples, str(predictions), annotations, metainfo)
            with contextlib.suppress(shutil.SameFileError):
                shutil.copyfile(predictions, results)
            with with_every_pose(metric.outfile_prefix) as prefix:
                figures = metric._do_python_keypoint_eval(prefix)
            figures = {f'{metric.prefix}/{name}': value for name, value in figures}
        else:
            found = Records(samples, 'prediction', str(predictions))
            unknown = [i not in metric.coco.imgs for i in found.column('img_id', int)]
            found.report(unknown, "'img_id' is not in the annotation file")
            # a detector's have labels, and this metric knows what they mean
            if not isinstance(metric, KeypointDetectionMetric):
                check_sample_categories(found, metric.coco)
            figures = evaluate_samples(evaluator, samples, predictions)
    return metric, {name: float(value) for name, value in figures.items()}, results


def check_keypoint_results(
    content, source: str, annotations: dict, metainfo: dict
) -> None:
    """Check COCO keypoint results.

    Args:
        content: The parsed JSON.
        source (str): The file's name, for messages.
        annotations (dict): Of the annotation file, checked.
        metainfo (dict): MMPose's parsed description of the skeleton.

    Raises:
        ValueError: The first thing found that cannot be meant.
    """
    image_ids = {image['id'] for image in annotations['images']}
    poses = check_results(content, 'prediction', source, image_ids)
    check_result_categories(poses, annotations)
    poses.numbers('keypoints', 3 * metainfo['num_keypoints'])
    # as COCO's loader does, which then takes the size of every pose from its box
    if content[0].get('bbox', []) != []:
        poses.numbers('bbox', 4)


def evaluate_samples(evaluator: Evaluator, samples: list, predictions: Path) -> dict:
    """Evaluate predictions, whose fields are as many as there are metrics.

    Raises:
        ValueError: They lack a field, or have one that cannot be meant.
    """
    try:
        return evaluator.offline_evaluate(samples, chunk_size=1000)
    except Exception as error:  # metrics do not check what they take
        reason = printable(' '.join(str(error).split()))
        if isinstance(error, KeyError):
            reason = f'a prediction lacks the field {reason}'
        raise ValueError(f'{predictions}: cannot be evaluated: {reason}') from error
