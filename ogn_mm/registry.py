"""The config scope ``ogn_mm``, so that configs inherit by ``ogn_mm::``.

With ``_base_ = 'ogn_mm::ogn_topdown/...'`` MMEngine looks modules up in
registries of the scope ``ogn_mm``. Ours are empty children of MMPose's: modules
register in MMPose's own, and whatever MMPose finds is found from here as well.
"""

import mmpose.registry
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.registry import Registry

# A child does not run its parent's imports, so it names the same modules.
PARTS = ['codecs', 'datasets', 'engine', 'evaluation', 'models', 'visualization']
LOCATIONS = [f'mmpose.{part}' for part in PARTS]

for parent in list(vars(mmpose.registry).values()):
    if isinstance(parent, Registry) and parent.scope == 'mmpose':
        Registry(parent.name, parent=parent, scope='ogn_mm', locations=LOCATIONS)

# MMEngine finds an installed package's folder by its distribution's location,
# which is wrong for an editable install, and one without a distribution by its
# module; no distribution has this name, so both kinds of install are found.
MODULE2PACKAGE['ogn_mm'] = 'ogn_mm.version'
