"""Weights of a model that is put together from networks."""

from mmengine.model import BaseModel


class CompositeModel(BaseModel):
    """A model whose parts may each have a checkpoint of their own.

    It loads its own checkpoints, and those of its main part alone: the other parts then
    need theirs, named in the config.

    Args:
        weighted (set[str]): Parts whose checkpoints the config names.

    Attributes:
        main (str): Name of the main part.
    """

    main: str

    def __init__(self, weighted: set[str]):
        super().__init__()
        self.weighted = weighted

    @property
    def unweighted(self) -> list[str]:
        """Parts with weights that no checkpoint of the config gives."""
        return [
            name
            for name, part in self.named_children()
            if name not in self.weighted and part.state_dict()
        ]

    def check_weights(self) -> None:
        """Check that the config's checkpoints are enough.

        Raises:
            ValueError: A part would have random weights.
        """
        if self.unweighted:
            name = self.unweighted[0]
            way = 'name its CHECKPOINT, or set ' if name == self.main else 'set '
            raise ValueError(
                f'the {name} would have random weights: {way}'
                f'`model.{name}.checkpoint` in the config'
            )

    def _load_from_state_dict(self, state_dict, prefix, *args):
        parts = {name for name, _ in self.named_children()}
        if not any(key[len(prefix) :].partition('.')[0] in parts for key in state_dict):
            self._complete(state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def _complete(self, state_dict: dict, prefix: str) -> None:
        """Make the main part's weights those of the whole model, in place."""
        lacking = [name for name in self.unweighted if name != self.main]
        if lacking:
            raise ValueError(
                f'the checkpoint is that of the {self.main} alone, and '
                f'`model.{lacking[0]}.checkpoint` is not set'
            )
        for key in list(state_dict):
            name = f'{prefix}{self.main}.{key[len(prefix) :]}'
            state_dict[name] = state_dict.pop(key)
        for name, part in self.named_children():
            if name != self.main:
                state_dict.update(part.state_dict(prefix=f'{prefix}{name}.'))
