"""How a TRL trainer of ours writes checkpoints and goes on from them, whatever it learns by."""

from __future__ import annotations

from typing import Any

from transformers import PreTrainedModel

from rl_feedback.training.checkpoints import CheckpointFailed
from rl_feedback.training.together import is_sharded


class Checkpointing:
    """A TRL trainer that says why a checkpoint was not written, and reads back what it wrote."""

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None at a checkpoint: the registry writes the candidate's own card."""

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        """Every library has an error of its own for a full disk."""
        try:
            super()._save_checkpoint(*args, **kwargs)  # type: ignore[misc]
        except Exception as error:
            step = self.state.global_step  # type: ignore[attr-defined]
            raise CheckpointFailed(
                f"The checkpoint of step {step} could not be written; the disk may be full. "
                "Free some space, then go on: the run continues from the checkpoint before, or begins again "
                "where this was the first."
            ) from error

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        """transformers writes a whole model under the names of its file format and looks for them by those of
        its modules: it finds none, and says nothing. `from_pretrained` knows both."""
        whole = self.model if model is None else model  # type: ignore[attr-defined]
        if is_sharded() or not isinstance(whole, PreTrainedModel):
            super()._load_from_checkpoint(resume_from_checkpoint, model)  # type: ignore[misc]
            return
        saved = type(whole).from_pretrained(resume_from_checkpoint, dtype=whole.dtype)
        whole.load_state_dict(saved.state_dict())
