# Tables 3 and 4 on COCO val2017: Mask R-CNN's keypoint head and the paper's extension.
# python tools/run_study.py configs/studies/keypoint_rcnn_full.py \
#     --work-dir work_dirs/keypoint_rcnn --gpus 8
_config = 'configs/ogn_mask_rcnn/{}_8xb2-1x_coco.py'

baseline = 'Mask R-CNN'
seeds = [0, 1, 2]
rows = [
    dict(name=baseline, config=_config.format('kpt-mask-rcnn_r101_fpn')),
    dict(name='a: offset', config=_config.format('ogn-mask-rcnn_r101_fpn-softmax')),
    dict(
        name='b: a, ratio-consistent',
        config=_config.format('ogn-mask-rcnn_r101_fpn-softmax-rc'),
    ),
    dict(name='c: b, Smooth L1', config=_config.format('ogn-mask-rcnn_r101_fpn-rc')),
]
