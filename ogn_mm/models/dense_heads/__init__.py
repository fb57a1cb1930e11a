from .box_filter_rpn_head import BoxFilterRPNHead

__all__ = ['BoxFilterRPNHead']
