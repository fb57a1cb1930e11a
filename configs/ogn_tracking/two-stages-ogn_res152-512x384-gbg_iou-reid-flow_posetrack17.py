# "Ours (two stages with optical flow)" of Table 5.
_base_ = './two-stages-ogn_res152-512x384-gbg_iou-reid_posetrack17.py'

model = dict(
    flow=dict(type='DISFlow'),
    propagation=dict(),
    tracker=dict(
        cues=[
            dict(type='BoxIoU'),
            dict(type='ReIDDistance', weight=0.5),
            dict(type='FlowOKS'),
        ],
    ),
)
