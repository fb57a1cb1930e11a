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
custom_hooks = [
    # averages BatchNorm's statistics over the processes after each epoch
    dict(type='SyncBuffersHook'),
    # together with `SeedAugmentation` in the pipeline: a resumed run repeats the
    # uninterrupted one
    dict(type='mmpose.EpochSeedHook'),
    # saves and exits on SIGTERM and SIGUSR1
    dict(type='mmpose.PreemptionHook'),
    dict(type='mmpose.CheckKeypointsHook'),
    # a loss that is not finite ends training; max_skips=10 skips such batches
    dict(type='mmpose.CheckLossHook'),
]
randomness = dict(seed=0)
