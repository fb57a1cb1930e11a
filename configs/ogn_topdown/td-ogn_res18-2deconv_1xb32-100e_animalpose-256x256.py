# Another skeleton: 20 keypoints of animals, in square crops. AnimalPose, prepared as for
# MMPose, with its ground-truth boxes.
_base_ = './td-ogn_res18-2deconv_1xb32-100e_people1k-256x192.py'

codec = dict(type='OffsetHeatmap', input_size=(256, 256), heatmap_size=(32, 32))
model = dict(head=dict(out_channels=20, decoder=codec))

train_pipeline = _base_.train_pipeline
train_pipeline[-3].input_size = (256, 256)
train_pipeline[-2].encoder = codec
val_pipeline = _base_.val_pipeline
val_pipeline[-2].input_size = (256, 256)

animals = dict(
    data_root='data/animalpose/',
    metainfo=dict(from_file='configs/_base_/datasets/animalpose.py'),
    data_prefix=dict(img=''),
)
train_dataloader = dict(
    dataset=dict(
        ann_file='annotations/animalpose_train.json', pipeline=train_pipeline, **animals
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file='annotations/animalpose_val.json', pipeline=val_pipeline, **animals
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file='data/animalpose/annotations/animalpose_val.json')
test_evaluator = val_evaluator
