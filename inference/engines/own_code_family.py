"""Models whose class lies in their folder as code of its own, which somebody has read and allowed.

Its processor must take pictures and texts as those of transformers do, and write questions by a chat
template; models that want film paths in their text are served elsewhere.
"""

from __future__ import annotations

from typing import Any

import transformers
from PIL import Image

from inference.engines.own_code import MODEL_CLASSES, own_classes
from inference.engines.square_families import SquareFamily
from inference.images import Grey, prepare_image


class OwnCodeFamily(SquareFamily):
    """The film is made the picture that the settings name; the model's own processor scales that to its
    size. Raises EngineError, before any of its code runs, where that does not lie in the folder."""

    runs_own_code = True

    def picture(self, film: Grey) -> Image.Image:
        return prepare_image(
            film,
            preparation=self._settings.preparation,
            min_pixels=self._settings.min_pixels,
            max_pixels=self._settings.max_pixels,
            factor=self._settings.size_multiple,
        )

    def _require_preparation(self) -> None:
        """Any will do."""

    def _model_class(self) -> Any:
        named = own_classes(self._settings.folder)
        return getattr(transformers, next(name for name in MODEL_CLASSES if name in named))
