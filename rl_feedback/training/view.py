"""How a model sees a film."""

from __future__ import annotations

from dataclasses import dataclass

from inference.presets import ServingPreset


@dataclass(frozen=True)
class FilmView:
    """How the parent sees a film; see `inference.images.prepare_image`. Areas in pixels."""

    preparation: str
    min_pixels: int
    max_pixels: int

    @classmethod
    def of(cls, preset: ServingPreset) -> FilmView:
        return cls(preset.preparation, preset.min_pixels, preset.max_pixels)
