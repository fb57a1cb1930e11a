from .torchvision_keypoint_rcnn import TorchvisionKeypointRCNN

__all__ = ['TorchvisionKeypointRCNN']
