"""How each known model wants to be served: its picture of a film, its prompt, its way to count regions."""

from dataclasses import dataclass

from inference.regions import Frame, Preparation


@dataclass(frozen=True)
class ServingPreset:
    """`min_pixels` and `max_pixels` bound the area of the image that the model sees."""

    name: str
    licence: str
    box_frame: Frame
    prompt_template: str
    preparation: Preparation
    min_pixels: int
    max_pixels: int
    temperature: float
    max_new_tokens: int


PRESETS: dict[str, ServingPreset] = {
    # Trained on squares of 112 pixels alone: see docs/decisions/0009 for why films are stretched to it.
    "phantom": ServingPreset(
        name="DeepMedix Phantom",
        licence="Apache-2.0",
        box_frame=Frame.PROCESSED,
        prompt_template="phantom",
        preparation=Preparation.SQUARE,
        min_pixels=112 * 112,
        max_pixels=112 * 112,
        temperature=1.0,
        max_new_tokens=256,
    ),
    # Area from its published processor settings, temperature from published uses of it.
    "deepmedix-r1": ServingPreset(
        name="DeepMedix-R1",
        licence="Apache-2.0",
        box_frame=Frame.PROCESSED,
        prompt_template="deepmedix-r1",
        preparation=Preparation.ASPECT,
        min_pixels=56 * 56,
        max_pixels=262144,
        temperature=0.6,
        max_new_tokens=4096,
    ),
}
