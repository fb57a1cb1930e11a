# Ignore regions, which are crowds in converted PoseTrack, are honoured in training: a
# box of which more than this share lies in one is not taken for background. MMDetection's
# own recipes have -1, with which it would be.
posetrack_assigner = dict(assigner=dict(ignore_iof_thr=0.5))
posetrack_model = dict(train_cfg=dict(rpn=posetrack_assigner, rcnn=posetrack_assigner))
