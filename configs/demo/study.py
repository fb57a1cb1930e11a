# The demo: offsets against the same network without them, on generated people.
seeds = [0]
baseline = 'DARK, stride 16'
rows = [
    dict(
        name='DARK, stride 16',
        config='configs/demo/td-hm_res18-1deconv_1xb32-16e_generated-128x96.py',
    ),
    dict(
        name='OGN, stride 16',
        config='configs/demo/td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py',
    ),
]
