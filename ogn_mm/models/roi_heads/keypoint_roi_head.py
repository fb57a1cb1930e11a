import torch
from mmdet.models.roi_heads import StandardRoIHead
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.structures.bbox import bbox2roi
from mmdet.utils import ConfigType, InstanceList
from torch import Tensor

from ogn_mm.structures.bbox import extend_to_ratio, rescale_keypoints


@MODELS.register_module()
class KeypointRoIHead(StandardRoIHead):
    """Mask R-CNN's ROI head with keypoints, beside boxes and, if wanted, masks.

    In training the keypoints of a person are learnt in the positive proposals that
    were assigned to the person; in testing they are predicted in the detected boxes.

    Ratio-consistent ROIs (section 3.2 of the OGN paper): with ``ratio`` each ROI is
    extended around its centre to one ratio of width to height, and not clipped to the
    image. Features beyond those of the (padded) image are zeros. The extended ROI also
    decides on which level of the pyramid the features are taken. A larger
    ``output_size`` of the extractor wants its ``finest_scale`` raised as much, so that
    samples are as many of the level's cells apart as before.

    Args:
        keypoint_roi_extractor (dict): Config of a ROI extractor, with
            ``RoIAlign(aligned=True)``, mmcv's default.
        keypoint_head (dict): Config of :class:`OneHotKeypointHead` or
            :class:`OffsetKeypointHead`.
        ratio (float, optional): Width over height of the ROIs for keypoints, and of
            their features; 256 / 352 in the paper. Defaults to None: as they are.
        **kwargs: Arguments of ``StandardRoIHead``.

    Raises:
        ValueError: The extractor's ``output_size`` doesn't fit the head's
            ``roi_feat_size`` or ``ratio``.
    """

    def __init__(
        self,
        keypoint_roi_extractor: ConfigType,
        keypoint_head: ConfigType,
        ratio: float | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.keypoint_roi_extractor = MODELS.build(keypoint_roi_extractor)
        self.keypoint_head = MODELS.build(keypoint_head)
        self.ratio = ratio
        height, width = self.keypoint_roi_extractor.roi_layers[0].output_size
        if (height, width) != tuple(self.keypoint_head.roi_feat_size):
            raise ValueError(
                f'KeypointRoIHead: output_size {(height, width)} of '
                'keypoint_roi_extractor must be roi_feat_size '
                f'{tuple(self.keypoint_head.roi_feat_size)} of keypoint_head'
            )
        if ratio is not None and abs(height * ratio - width) > 1e-3:
            raise ValueError(
                f'KeypointRoIHead: output_size {(height, width)} (h, w) of '
                f'keypoint_roi_extractor must have the ratio w / h = {ratio}'
            )

    def forward(
        self,
        x: tuple[Tensor],
        rpn_results_list: InstanceList,
        batch_data_samples: SampleList = None,
    ) -> tuple:
        """What ``StandardRoIHead`` returns, and the maps of up to 100 proposals."""
        results = super().forward(x, rpn_results_list, batch_data_samples)
        rois = bbox2roi([proposals.bboxes for proposals in rpn_results_list])[:100]
        return (*results, self._keypoint_forward(x, self.keypoint_rois(rois)))

    def keypoint_rois(self, rois: Tensor) -> Tensor:
        """The ROIs in which keypoints are predicted.

        Args:
            rois (Tensor): Image index, x1, y1, x2, y2, (R, 5).

        Returns:
            Tensor: Extended to ``ratio``, (R, 5), float32.
        """
        rois = rois.float()
        if self.ratio is None:
            return rois
        return torch.cat([rois[:, :1], extend_to_ratio(rois[:, 1:], self.ratio)], dim=1)

    def _keypoint_forward(self, x: tuple[Tensor], rois: Tensor) -> Tensor:
        """Maps of the ROIs, (R, C, H, W)."""
        # the extractor takes on the features' type: half precision would move ROIs
        # by up to a quarter of a pixel at 1000
        feats = [level.float() for level in x[: self.keypoint_roi_extractor.num_inputs]]
        return self.keypoint_head(self.keypoint_roi_extractor(feats, rois))

    def loss(
        self,
        x: tuple[Tensor],
        rpn_results_list: InstanceList,
        batch_data_samples: SampleList,
    ) -> dict[str, Tensor]:
        """Compute the losses of boxes, masks and keypoints.

        Args:
            x (tuple[Tensor]): Features of the pyramid's levels.
            rpn_results_list (list[InstanceData]): Proposals.
            batch_data_samples (list[DetDataSample]): Their ``gt_instances`` have
                ``keypoints`` (N, K, 2) in pixels of the input and
                ``keypoints_visible`` (N, K), beside ``bboxes`` and ``labels``.

        Returns:
            dict: Losses of ``StandardRoIHead`` and of the keypoint head.

        Raises:
            ValueError: ``gt_instances`` have no keypoints.
        """
        losses = super().loss(x, rpn_results_list, batch_data_samples)
        sampling_results, self._sampling_results = self._sampling_results, None
        gt_instances = [sample.gt_instances for sample in batch_data_samples]
        losses.update(self.keypoint_loss(x, sampling_results, gt_instances))
        return losses

    def bbox_loss(
        self, x: tuple[Tensor], sampling_results: list[SamplingResult]
    ) -> dict:
        """As in ``StandardRoIHead``, whose ``loss`` keeps the samples to itself."""
        self._sampling_results = sampling_results
        return super().bbox_loss(x, sampling_results)

    def keypoint_loss(
        self,
        x: tuple[Tensor],
        sampling_results: list[SamplingResult],
        batch_gt_instances: InstanceList,
    ) -> dict[str, Tensor]:
        """Compute the keypoint head's losses.

        Proposals of people without visible keypoints are left out beforehand.

        Args:
            x (tuple[Tensor]): Features of the pyramid's levels.
            sampling_results (list[SamplingResult]): The images' samples.
            batch_gt_instances (list[InstanceData]): See :meth:`loss`.

        Returns:
            dict: As the keypoint head returns.
        """
        boxes, keypoints, visible = [], [], []
        for sampled, gt in zip(sampling_results, batch_gt_instances, strict=True):
            if 'keypoints' not in gt or 'keypoints_visible' not in gt:
                raise ValueError(
                    'KeypointRoIHead: gt_instances have no keypoints and '
                    'keypoints_visible; the training pipeline must load and pack them'
                )
            owner = sampled.pos_assigned_gt_inds
            has_pose = (gt.keypoints_visible > 0).any(dim=1)[owner]
            owner = owner[has_pose]
            boxes.append(sampled.pos_priors[has_pose])
            keypoints.append(gt.keypoints[owner])
            visible.append(gt.keypoints_visible[owner])
        rois = self.keypoint_rois(bbox2roi(boxes))
        return self.keypoint_head.loss(
            self._keypoint_forward(x, rois),
            rois[:, 1:],
            torch.cat(keypoints),
            torch.cat(visible),
        )

    def predict(
        self,
        x: tuple[Tensor],
        rpn_results_list: InstanceList,
        batch_data_samples: SampleList,
        rescale: bool = False,
    ) -> InstanceList:
        """Predict boxes, masks and keypoints.

        Args:
            x (tuple[Tensor]): Features of the pyramid's levels.
            rpn_results_list (list[InstanceData]): Proposals.
            batch_data_samples (list[DetDataSample]): The data samples. If all have
                ``given_instances`` with ``bboxes``, in the pixels that ``rescale``
                asks for, these get keypoints, too, as boxes of somebody's choice.
            rescale (bool): Whether results are in pixels of the original image, not
                of the input. Defaults to False.

        Returns:
            list[InstanceData]: Per image what ``StandardRoIHead`` returns, with
            ``keypoints`` (M, K, 2) and ``keypoint_scores`` (M, K) in [0, 1].
        """
        results_list = super().predict(x, rpn_results_list, batch_data_samples, rescale)
        self.predict_keypoints(x, results_list, batch_data_samples, rescale)
        given = [s.get('given_instances') for s in batch_data_samples]
        if all(instances is not None for instances in given):
            self.predict_keypoints(x, given, batch_data_samples, rescale)
        return results_list

    def predict_keypoints(
        self,
        x: tuple[Tensor],
        instances: InstanceList,
        batch_data_samples: SampleList,
        rescale: bool,
    ) -> None:
        """Predict keypoints in boxes; see :meth:`predict`.

        Args:
            x (tuple[Tensor]): Features of the pyramid's levels.
            instances (list[InstanceData]): Per image ``bboxes`` (M, 4); they get
                ``keypoints`` and ``keypoint_scores``.
            batch_data_samples (list[DetDataSample]): The data samples.
            rescale (bool): Whether boxes and keypoints are in pixels of the original
                image.
        """
        boxes = [own.bboxes for own in instances]
        counts = [len(own) for own in boxes]
        # of the input's size over the original's, (M, 2)
        factor = torch.cat(
            [
                own.new_tensor(sample.scale_factor if rescale else (1, 1)).expand(n, 2)
                for own, n, sample in zip(
                    boxes, counts, batch_data_samples, strict=True
                )
            ]
        )
        rois = bbox2roi(boxes)
        rois[:, 1:] *= factor.repeat(1, 2)
        rois = self.keypoint_rois(rois)
        keypoints, scores = self.keypoint_head.predict(
            self._keypoint_forward(x, rois), rois[:, 1:]
        )
        keypoints = rescale_keypoints(keypoints, 1 / factor[:, None])
        for own, own_keypoints, own_scores in zip(
            instances, keypoints.split(counts), scores.split(counts), strict=True
        ):
            own.keypoints = own_keypoints
            own.keypoint_scores = own_scores
