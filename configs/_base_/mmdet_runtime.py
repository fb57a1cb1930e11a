# What our recipes add to MMDetection's default_runtime.py. A second base must not
# repeat the first one's keys, so that the recipes set `default_hooks` from here.
custom_imports = dict(imports=['ogn_mm'], allow_failed_imports=False)

checkpoint_hook = dict(
    type='mmpose.ResumableCheckpointHook',
    interval=1,
    max_keep_ckpts=2,
    save_best='coco/bbox_mAP',
    rule='greater',
)
# averages BatchNorm's statistics over the processes after each epoch
custom_hooks = [dict(type='SyncBuffersHook')]
randomness = dict(seed=0)
