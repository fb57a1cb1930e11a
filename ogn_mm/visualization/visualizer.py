import numpy as np
from mmpose.registry import VISUALIZERS
from mmpose.visualization import PoseLocalVisualizer


@VISUALIZERS.register_module()
class ArrayRadiusVisualizer(PoseLocalVisualizer):
    """MMPose's visualizer, which draws under numpy 2.5 and later as well.

    MMPose gives the radius of a keypoint as an array of one element and converts it by
    ``int``, which numpy 2.5 no longer does.
    """

    def draw_circles(self, center, radius, **kwargs):
        """Draw circles; one with its radius as a number where there is one."""
        if self.backend == 'opencv':
            radius = np.asarray(radius).item()
        return super().draw_circles(center, radius, **kwargs)
