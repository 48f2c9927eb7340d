"""How much of the machine one film may take while it is decoded."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """`max_pixels` counts rows x columns x frames; memory and time hold for the decoding process."""

    max_file_bytes: int
    max_pixels: int
    memory_bytes: int
    seconds: int

    @property
    def max_inflated_bytes(self) -> int:
        """Two bytes a pixel, and room for a header."""
        return 2 * self.max_pixels + 16 * 1024**2
