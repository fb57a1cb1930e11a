# Ways to choose a person detector's boxes, and what a recipe on COCO needs for people.

# No filtering in the RPN: up to 2000 anchors of each pyramid level go on.
unsuppressed_rpn = dict(nms=None, nms_pre=2000, max_per_img=10000)

# Greedy Box Generation in the R-CNN.
gbg_test_cfg = dict(
    rpn=unsuppressed_rpn,
    rcnn=dict(
        score_thr=0.0,
        box_filter=dict(
            type='GreedyBoxGeneration',
            min_size=8,
            egt_score_thr=0.8,
            egt_iou_thr=0.5,
            group_iou_thr=0.7,
            top_n=4,
        ),
        max_per_img=-1,
    ),
)

# No filtering at all: one file of raw detections for every later choice. Below this
# score a box is of no use, but most boxes of an image lie there.
raw_test_cfg = dict(
    rpn=unsuppressed_rpn,
    rcnn=dict(score_thr=0.01, nms=None, max_per_img=-1),
)

# Masks of thousands of boxes are of no use.
no_masks = dict(mask_head=None, mask_roi_extractor=None)

# Of COCO's 80 classes the person alone is evaluated.
person_dataloader = dict(dataset=dict(metainfo=dict(classes=('person',))))
