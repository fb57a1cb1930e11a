# Table 1 on COCO. The boxes: configs/ogn_topdown/README.md.
# python tools/run_study.py configs/studies/table1_full.py \
#     --work-dir work_dirs/table1 --gpus 8
_hm = 'configs/ogn_topdown/td-hm_res50-{}deconv_8xb{}_coco-256x192.py'
_ogn = 'configs/ogn_topdown/td-ogn_res{}-{}deconv_8xb8-22e_coco-{}.py'
_h = 'h: OGN, 1 deconv, 512x384'

baseline = 'b: MSRA, 2 deconvs, 256x192'
seeds = [0, 1, 2]
rows = [
    dict(
        name='a: MSRA, 1 deconv, 256x192', config=_hm.format(1, '16-140e'), paper=52.0
    ),
    dict(name=baseline, config=_hm.format(2, '16-140e'), paper=68.2),
]
rows += [  # twins of a and b under the recipe of the others
    dict(name=f'{row["name"]}, recipe of c', config=_hm.format(deconvs, '8-22e'))
    for deconvs, row in enumerate(rows, 1)
]
rows += [
    dict(name=name, config=_ogn.format(*config), paper=paper)
    for name, config, paper in [
        ('c: OGN, 2 deconvs, 256x192', (50, 2, '256x192'), 69.7),
        ('d: OGN, 1 deconv, 256x192', (50, 1, '256x192'), 67.7),
        ('e: OGN, 1 deconv, 352x256, GBG', (50, 1, '352x256-gbg'), 70.4),
        ('f: OGN, 1 deconv, 384x288, GBG', (50, 1, '384x288-gbg'), 70.7),
        (_h, (50, 1, '512x384'), 71.3),
        ('i: OGN, 2 deconvs, 384x288, GBG', (50, 2, '384x288-gbg'), 71.6),
        ('j: OGN, 2 deconvs, 512x384, GBG', (50, 2, '512x384-gbg'), 73.0),
        ('k: j, ResNet-101', (101, 2, '512x384-gbg'), 73.8),
        ('l: j, ResNet-152', (152, 2, '512x384-gbg'), 74.0),
    ]
]
rows.append(  # the boxes of the test are all that differs
    dict(
        name='g: h, GBG',
        config=_ogn.format(50, 1, '512x384-gbg'),
        weights_of=_h,
        paper=71.7,
    )
)
rows += [  # c to l tested with flips, too, which the paper does not
    dict(
        name=f'{row["name"].partition(":")[0]}, flip test',
        config=row['config'],
        cfg_options={'model.test_cfg.flip_test': True},
        weights_of=row.get('weights_of', row['name']),
    )
    for row in rows[4:]
]
