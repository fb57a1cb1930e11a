"""Make one HTML page of a test: metrics, errors, curves and the worst poses.

    python tools/test.py CONFIG CHECKPOINT --dump DIR/predictions.pkl
    python tools/analysis_tools/report.py CONFIG DIR/predictions.pkl --out report.html

The page is one file, without scripts, for any browser and to print. PREDICTIONS may
also be COCO keypoint results, such as the predictions.keypoints.json of a study's run.
Checkpoint, date, device and speed are those that the test wrote beside its
predictions; for an offset-guided network the page then shows heatmaps and offsets of a
person, too.
"""

import argparse
import base64
import datetime
import io
import tempfile
from pathlib import Path

import jinja2
import numpy as np
from matplotlib.figure import Figure
from mmengine.config import Config, DictAction
from mmengine.device import get_device
from mmpose.apis import init_model
from mmpose.registry import DATASETS
from rich.progress import track

import ogn_mm
from ogn_mm.apis import draw_predicted_offsets
from ogn_mm.datasets.images import read_image
from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.checkpoint import load_weights
from ogn_mm.engine.config_agreement import type_name
from ogn_mm.engine.json_files import check_object, read_object
from ogn_mm.engine.launch import run_tool
from ogn_mm.evaluation import evaluate_predictions, load_test_config
from ogn_mm.evaluation.functional import (
    MIN_OKS,
    OKS_THRESHOLDS,
    PersonMatches,
    keypoint_errors,
    match_people,
    pck_errors,
    share_below,
)
from ogn_mm.visualization import (
    cut_around,
    draw_curves,
    draw_oks_histogram,
    draw_pose_pair,
    draw_shares,
)

SIMILARITIES = (0.85, 0.5)  # as Ronchi and Perona tell good, near and wrong
PCK_THRESHOLDS = (0.05, 0.1)
CURVES = (0, 5, 8)  # OKS thresholds .5, .75 and .9


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file of the test')
    parser.add_argument(
        'predictions', type=Path, help='.pkl file of tools/test.py --dump, or .json'
    )
    parser.add_argument('--out', type=Path, help='report.html beside the predictions')
    parser.add_argument('--num-worst', type=int, default=12, help='people to show')
    parser.add_argument(
        '--person',
        metavar='IMAGE_ID/ANN_ID',
        help='whose heatmaps and offsets are drawn; by default the one of median OKS',
    )
    parser.add_argument(
        '--checkpoint', help="for heatmaps and offsets; by default the test's"
    )
    parser.add_argument('--device', default=get_device())
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE'
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the whole traceback of an error'
    )
    args = parser.parse_args(argv)
    args.out = args.out or args.predictions.with_name('report.html')
    return args


def read_record(predictions: Path) -> dict:
    """What the test wrote beside its predictions, if it did."""
    path = Path(f'{predictions}.json')
    if not path.exists():
        return {}
    record = read_object(path, metrics=dict)
    for name in ('versions', 'speed'):
        check_object(record.get(name) or {}, f'{path}: {name}')
    return record


def check_record(record: dict, metrics: dict, predictions: Path) -> None:
    """Raise ValueError if the test gave another AP."""
    name = next(iter(metrics))
    before = record.get('metrics', {}).get(name, metrics[name])
    if not np.isclose(before, metrics[name], rtol=0, atol=1e-6):
        raise ValueError(
            f'{predictions}: gives {name} {metrics[name]:.4f}, but the test gave '
            f'{before:.4f}; annotations or config have changed since'
        )


def to_uri(figure: Figure, kind: str = 'svg') -> str:
    """A figure as an address that holds all of it; photographs as ``'jpeg'``."""
    buffer = io.BytesIO()
    options = dict(
        svg=dict(metadata=dict(Date=None), bbox_inches='tight'),
        jpeg=dict(dpi=110, pil_kwargs=dict(quality=85)),
    )
    figure.savefig(buffer, format=kind, **options[kind])
    mime = dict(svg='svg+xml').get(kind, kind)
    return f'data:image/{mime};base64,{base64.b64encode(buffer.getvalue()).decode()}'


def draw(draw_axes, *args, size: tuple[float, float] = (5.6, 3.6)) -> str:
    """What a function draws on axes, as an address."""
    figure = Figure(figsize=size, layout='constrained')
    draw_axes(figure.subplots(), *args)
    return to_uri(figure)


def to_error(similarity: float) -> float:
    """The error in units of OKS that makes a keypoint this similar."""
    return float(np.sqrt(-2 * np.log(similarity)))


def tabulate_keypoints(
    people: PersonMatches, sigmas: np.ndarray, names: list[str]
) -> list[dict]:
    """The rows of the table of keypoints, and one of all together."""
    errors, shares = keypoint_errors(people, sigmas), pck_errors(people)
    rows = []
    for name, of_oks, of_pck in zip(
        [*names, 'all'],
        [*errors.T, errors.ravel()],
        [*shares.T, shares.ravel()],
        strict=True,
    ):
        found = of_oks[np.isfinite(of_oks)]
        rows.append(
            dict(
                name=name,
                labelled=int((~np.isnan(of_oks)).sum()),
                error=np.median(found) if len(found) else np.nan,
                shares=[
                    *(share_below(of_oks, to_error(value)) for value in SIMILARITIES),
                    *(share_below(of_pck, threshold) for threshold in PCK_THRESHOLDS),
                ],
            )
        )
    return rows


def draw_keypoints(axes, people: PersonMatches, sigmas: np.ndarray, names: list[str]):
    """Draw how similar the keypoints are to the annotated ones."""
    errors = keypoint_errors(people, sigmas)
    good, near = (share_below(errors, to_error(value)) for value in SIMILARITIES)
    found = share_below(errors, np.finfo(float).max)
    shares = {
        f'similarity ≥ {SIMILARITIES[0]}': good,
        f'≥ {SIMILARITIES[1]}': near - good,
        'less': found - near,
        'person not found': 1 - found,
    }
    draw_shares(axes, shares, names)


def draw_precision(axes, precision: np.ndarray):
    """Draw precision-recall curves, (10, 101), at some OKS thresholds."""
    recalls = np.linspace(0, 1, precision.shape[1])
    curves = {
        f'OKS ≥ {OKS_THRESHOLDS[i]:.2f}, AP {100 * precision[i].mean():.1f}': [
            list(zip(recalls, precision[i], strict=True))
        ]
        for i in CURVES
    }
    draw_curves(axes, curves)
    axes.set(xlabel='recall', ylabel='precision', xlim=(0, 1), ylim=(0, 1.02))


class People:
    """Annotated people whom the page shows, with their images.

    Args:
        matches (PersonMatches): All of them.
        ground_truth (COCO): The annotations.
        dataset (BaseDataset): Says where the images are, and the skeleton.
    """

    def __init__(self, matches: PersonMatches, ground_truth, dataset):
        self.matches, self.ground_truth = matches, ground_truth
        self.folder, self.meta = Path(dataset.data_prefix['img']), dataset.metainfo

    def describe(self, index: int) -> dict:
        """What the page says of a person."""
        matches = self.matches
        image = self.ground_truth.imgs[matches.image_ids[index]]
        return dict(
            name=f'{matches.image_ids[index]}/{matches.ann_ids[index]}',
            file=image['file_name'],
            oks=float(matches.oks[index]),
            found=bool(matches.found[index]),
        )

    def draw(self, index: int) -> str:
        """The annotated and the predicted pose side by side, as an address."""
        path = self.folder / self.describe(index)['file']
        image = read_image(path)[..., ::-1]
        x, y, width, height = self.matches.boxes[index]
        crop, corner = cut_around(image, np.array([x, y, x + width, y + height]))
        truth, pose = (
            poses[index] - (*corner, 0)
            for poses in (self.matches.truth, self.matches.poses)
        )
        colors = np.array(self.meta['skeleton_link_colors']) / 255
        links = self.meta['skeleton_links']
        return to_uri(draw_pose_pair(crop, truth, pose, links, colors), 'jpeg')

    def worst(self, number: int) -> list[dict]:
        """Those with the lowest OKS, worst first."""
        chosen = np.argsort(self.matches.oks, kind='stable')[:number]
        return [
            dict(self.describe(index), picture=self.draw(index))
            for index in track(chosen, 'Drawing', transient=True)
        ]

    def find(self, name: str | None) -> int:
        """The person IMAGE_ID/ANN_ID, by default that of median OKS."""
        matches = self.matches
        if name is None:
            return int(np.argsort(matches.oks, kind='stable')[len(matches.oks) // 2])
        for index in range(len(matches.oks)):
            if self.describe(index)['name'] == name:
                return index
        raise ValueError(
            f'--person {name}: there is no such person among those who count; it '
            f'should be IMAGE_ID/ANN_ID, as {self.describe(0)["name"]}'
        )


def draw_offsets(cfg: Config, ann_id: int, checkpoint: str, device: str) -> str:
    """Heatmaps and offsets of an annotated person, cropped by the annotated box."""
    options = dict(cfg.test_dataloader.dataset, bbox_file=None)
    options.pop('bbox_filter', None)  # of the boxes in bbox_file
    dataset = DATASETS.build(options)
    ids = [dataset.get_data_info(index)['id'] for index in range(len(dataset))]
    if ann_id not in ids:
        raise ValueError(f'{dataset.ann_file}: the data set left out person {ann_id}')
    model = init_model(cfg, device=device)
    model.dataset_meta = dataset.metainfo
    load_weights(model, checkpoint)
    item = dataset[ids.index(ann_id)]
    figure = draw_predicted_offsets(model, item['inputs'], item['data_samples'])
    return to_uri(figure, 'jpeg')


def choose_checkpoint(cfg: Config, args: argparse.Namespace, record: dict):
    """The checkpoint whose offsets are drawn, or None if nothing can be drawn.

    Raises:
        ValueError: What was asked for cannot be drawn.
    """
    asked = '--checkpoint' if args.checkpoint else '--person' if args.person else None
    if not type_name(cfg.model.get('head', {})).endswith('OffsetHead'):
        if asked:
            raise ValueError(f'{asked}: the network has no OffsetHead to draw')
        return None
    if args.checkpoint:
        return args.checkpoint
    checkpoint = record.get('checkpoint')
    if checkpoint and Path(checkpoint).exists():
        return checkpoint
    if args.person:
        raise ValueError(
            '--person needs --checkpoint: '
            + (f'{checkpoint} of the test is gone' if checkpoint else 'none is known')
        )
    return None


def list_facts(args, record: dict, ann_file: str, people: PersonMatches) -> dict:
    """What the page begins with, by name; what is not known is left out."""
    images = len(np.unique(people.image_ids))
    versions = record.get('versions', {})
    facts = {
        'Config': args.config,
        'Options': ' '.join(
            f'{key}={value}' for key, value in args.cfg_options.items()
        ),
        'Checkpoint': record.get('checkpoint') or args.checkpoint,
        'Annotations': f'{ann_file}: {len(people.oks)} people in {images} images',
        'Predictions': args.predictions,
        'Tested': record.get('finished', '').replace('T', ' '),
        'Versions': ', '.join(f'{name} {number}' for name, number in versions.items()),
        'Report': f'{datetime.datetime.now():%Y-%m-%d %H:%M:%S}, '
        f'ogn_mm {ogn_mm.__version__}',
    }
    return {name: fact for name, fact in facts.items() if fact}


def list_speed(dataset, record: dict) -> dict:
    """How fast the test was, by what was measured; empty if it was not."""
    speed = record.get('speed')
    if not speed:
        return {}
    topdown = getattr(dataset, 'data_mode', None) == 'topdown'
    unit = 'boxes' if topdown else 'images'
    seconds, waiting = speed['seconds'], speed['data_seconds']
    return {
        f'{unit.capitalize()} per second': f'{speed["samples"] / seconds:.1f}',
        'Waiting for data': f'{waiting / seconds:.0%} of the time',
        'Batch': f'{speed["batch_size"]} {unit}',
        'Processes': record['processes'],
        'Device': record['device'],
    }


def format_figure(pattern: str, value: float) -> str:
    """A figure for a table; a dash for NaN, and for COCO's -1."""
    return pattern % value if value >= 0 else '–'


def gather(args: argparse.Namespace) -> dict:
    """All that the page shows, by the template's names."""
    cfg = load_test_config(args.config, args.cfg_options)
    record = read_record(args.predictions)
    checkpoint = choose_checkpoint(cfg, args, record)
    dataset = DATASETS.build(dict(cfg.test_dataloader.dataset, lazy_init=True))
    sigmas = np.array(dataset.metainfo['sigmas'])
    names = [dataset.metainfo['keypoint_id2name'][k] for k in range(len(sigmas))]
    with tempfile.TemporaryDirectory() as folder:
        metric, figures, results = evaluate_predictions(
            cfg, dataset.ann_file, dataset.metainfo, args.predictions, folder
        )
        check_record(record, figures, args.predictions)
        matches, precision = match_people(
            metric.coco, results, sigmas, metric.use_area, metric.iou_type
        )
    people = People(matches, metric.coco, dataset)
    person = None
    if checkpoint:
        index = people.find(args.person)
        picture = draw_offsets(cfg, matches.ann_ids[index], checkpoint, args.device)
        person = dict(people.describe(index), picture=picture)
    return dict(
        title=f'Test of {Path(args.config).stem}',
        facts=list_facts(args, record, metric.ann_file, matches),
        metrics={name.rpartition('/')[2]: value for name, value in figures.items()},
        similarities=SIMILARITIES,
        pck_thresholds=PCK_THRESHOLDS,
        keypoints=tabulate_keypoints(matches, sigmas, names),
        num_people=len(matches.oks),
        num_found=matches.found.sum(),
        min_oks=MIN_OKS,
        pictures=dict(
            keypoints=draw(draw_keypoints, matches, sigmas, names, size=(5.6, 4.8)),
            oks=draw(draw_oks_histogram, matches.oks, matches.found),
            curves=draw(draw_precision, precision),
        ),
        worst=people.worst(args.num_worst),
        person=person,
        speed=list_speed(dataset, record),
    )


def report(args: argparse.Namespace):
    if args.out.is_dir():
        raise ValueError(f'{args.out}: --out should be a file, found a folder')
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters['figure'] = format_figure
    page = environment.get_template('report.html.j2').render(gather(args))
    write_atomically(args.out, page)
    print(args.out)


def main(argv=None):
    run_tool(report, parse_args(argv))


if __name__ == '__main__':
    main()
