"""Which categories of a COCO file have keypoints: one rule for all that read it."""

import contextlib
import io

import numpy as np
from xtcocotools.coco import COCO

from ogn_mm.engine.json_files import Records, check_object, shown

PERSON = dict(id=1, name='person')  # COCO's


def keypoint_categories(content: dict) -> dict[int, str]:
    """Names of the categories of a COCO file that have keypoints, by id.

    No id and no name is taken for granted. The categories with keypoints are those that
    list ``keypoints`` or have annotations with some. If there are none, as in files of
    boxes and for test servers, it is 'person', as in COCO's, and otherwise any category
    may be one.

    - Annotations of other categories, such as boxes beside the poses, are left out and
      counted, in training and in testing alike, and do not count in evaluation.
    - Where several categories have the keypoints, each counts, and AP is the mean over
      them: as MMPose does for animals. Of annotated boxes and of detections the
      category is known, and poses keep it.
    - Detections of other categories, known to the file or not, are left out and
      counted, for detectors often know more; but some have to be of one with keypoints.
    - Results may have no category that is not in the file.

    Args:
        content (dict): The file's JSON; checked are its ``categories``, and the
            ``category_id`` of its ``annotations``, if it has any.
    """
    categories = content['categories']
    posed = {category['id'] for category in categories if category.get('keypoints')}
    posed |= {
        annotation['category_id']
        for annotation in content.get('annotations') or ()
        if annotation.get('keypoints')
    }
    names = {category['id']: category['name'] for category in categories}
    people = {i: name for i, name in names.items() if name == PERSON['name']}
    return {i: name for i, name in names.items() if i in posed} or people or names


def choose_category(
    content: dict,
    source: str,
    name: str = PERSON['name'],
    option: str = '`classes` of `metainfo`',
) -> dict:
    """The ``id`` and ``name`` of the category that a detector finds in a file's images.

    It is the only one with keypoints, whatever its name, or the one of several that has
    the class's name.

    Args:
        content (dict): As for :func:`keypoint_categories`.
        source (str): The file's name, for messages.
        name (str): Of the class. 'person', the default of MMDetection's configs for
            people, fits a single category of any name.
        option (str): How to choose another one, for messages.

    Raises:
        ValueError: There is none, or there are several.
    """
    posed = keypoint_categories(content)
    found = [i for i in posed if posed[i] == name]
    if not found and name == PERSON['name']:
        found = list(posed)
    if len(found) != 1:
        raise ValueError(
            f"{source}: should have one category '{name}' with keypoints, found "
            f'{listed(posed)}; choose one by {option}'
        )
    return dict(id=found[0], name=posed[found[0]])


def category_of(metainfo: dict) -> dict:
    """The ``id`` and ``name`` of the category that a network was trained on.

    Args:
        metainfo (dict): Of its data set, as a checkpoint keeps it: ``category``, or
            MMPose's ``CLASSES``, of which the first one is taken. Without either it is
            COCO's person.
    """
    classes = metainfo.get('CLASSES')
    known = [metainfo.get('category'), *(classes if isinstance(classes, list) else ())]
    for category in known:
        if isinstance(category, dict):
            found = {name: category.get(name) for name in PERSON}
            if isinstance(found['id'], int) and isinstance(found['name'], str):
                return found
    return dict(PERSON)


def listed(categories: dict[int, str]) -> str:
    """Categories for messages, such as: 2 ('cat'), 3 ('dog')."""
    named = [f'{i} ({shown(name)})' for i, name in list(categories.items())[:4]]
    more = len(categories) - 3
    return ', '.join(named if more < 2 else [*named[:3], f'{more} more'])


def check_categories(content: dict, source: str) -> dict[int, str]:
    """Check the categories of a COCO file.

    Returns:
        dict: Their names by id.

    Raises:
        ValueError: The first thing found that cannot be meant.
    """
    check_object(content, source, categories=list)
    categories = Records(content['categories'], 'category', source)
    return dict(
        zip(categories.unique_ids(), categories.column('name', str), strict=True)
    )


def require_keypoints(found: Records, categories: dict[int, str]) -> None:
    """Check that some detections or results are of a category with keypoints.

    Args:
        found (Records): With a ``category_id`` each.
        categories (dict): As :func:`keypoint_categories` gives it.

    Raises:
        ValueError: None is.
    """
    ids = {item['category_id'] for item in found.items}
    if ids.isdisjoint(categories):
        raise ValueError(
            f"{found.source}: no {found.kind} has the 'category_id' of the annotation "
            f'file, {listed(categories)}, found {shown(sorted(ids))}; if they are of '
            'this category, put its id into the file'
        )


def check_result_categories(results: Records, content: dict) -> None:
    """Check that keypoint results are of the annotation file's categories.

    Args:
        results (Records): With a ``category_id`` each.
        content (dict): Of the annotation file, checked.

    Raises:
        ValueError: One is not, or none is of a category with keypoints.
    """
    known = {category['id']: category['name'] for category in content['categories']}
    ids = results.column('category_id', int)
    problem = f"'category_id' is not in the annotation file, which has {listed(known)}"
    results.report([i not in known for i in ids], problem, ids)
    require_keypoints(results, keypoint_categories(content))


def is_known(category_id, categories) -> bool:
    """Whether the category of a prediction, or those of several, are among some."""
    try:
        return set(np.ravel(category_id).tolist()).issubset(categories)
    except (TypeError, ValueError):  # it is neither a number nor an array of some
        return False


def check_sample_categories(samples: Records, coco: COCO) -> None:
    """Check that predictions are of categories in the annotation file.

    Args:
        samples (Records): As MMPose's `CocoMetric` takes them.
        coco (COCO): Of the annotation file.

    Raises:
        ValueError: One is not, or has no category, for which MMPose takes 1.
    """
    names = {i: category['name'] for i, category in coco.cats.items()}
    ids = [sample.get('category_id', PERSON['id']) for sample in samples.items]
    samples.report(
        [not is_known(i, names) for i in ids],
        "'category_id', 1 where there is none, is not in the annotation file, which "
        f'has {listed(names)}',
        ids,
    )


def leave_out_boxes(coco: COCO) -> None:
    """Keep what COCOeval measures: the categories with keypoints.

    It takes the keypoints of every annotation of every category, and stops at one that
    has none. Categories that nobody is annotated of do not change the mean.
    """
    posed = keypoint_categories(coco.dataset)
    if posed.keys() == coco.cats.keys():
        return
    for field, name in (('categories', 'id'), ('annotations', 'category_id')):
        if field in coco.dataset:
            kept = [item for item in coco.dataset[field] if item[name] in posed]
            coco.dataset[field] = kept
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
