# Table 3, and the rows of Table 4, on COCO val2017: Mask R-CNN's keypoint head and the
# paper's extension.
# python tools/run_study.py configs/studies/keypoint_rcnn_full.py \
#     --work-dir work_dirs/keypoint_rcnn --gpus 8
_config = 'configs/ogn_mask_rcnn/{}_8xb2-1x_coco.py'

baseline = 'Mask R-CNN'
seeds = [0, 1, 2]
note = "The paper's figures are on COCO test-dev; it names no backbone."
rows = [
    dict(name=baseline, config=_config.format('kpt-mask-rcnn_r101_fpn'), paper=63.1),
    dict(name='a: offset', config=_config.format('ogn-mask-rcnn_r101_fpn-softmax')),
    dict(
        name='b: a, ratio-consistent',
        config=_config.format('ogn-mask-rcnn_r101_fpn-softmax-rc'),
    ),
    dict(
        name='c: b, Smooth L1',
        config=_config.format('ogn-mask-rcnn_r101_fpn-rc'),
        paper=65.2,
    ),
]
