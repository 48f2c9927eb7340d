"""Training data as a Hugging Face data set: a folder that `datasets` loads and TRL's trainers take.

A subset for each of TRL's kinds of data (huggingface.co/docs/trl/dataset_formats), with the films in it as
the model saw them. `docs/how-to/export-a-data-set.md` tells what is in which.
"""

from rl_feedback.hugging_face.card import MANIFEST, README, card_of, manifest_of
from rl_feedback.hugging_face.describing import KEYWORDS, described_as_croissant
from rl_feedback.hugging_face.parts import FILMS_PER_PART, PartFile, PartWriter
from rl_feedback.hugging_face.shown import ShownFilm, show_film
from rl_feedback.hugging_face.subsets import SPLIT_NAMES, SUBSETS, JudgedSteps, Shared

__all__ = [
    "FILMS_PER_PART",
    "KEYWORDS",
    "MANIFEST",
    "README",
    "SPLIT_NAMES",
    "SUBSETS",
    "JudgedSteps",
    "PartFile",
    "PartWriter",
    "Shared",
    "ShownFilm",
    "card_of",
    "described_as_croissant",
    "manifest_of",
    "show_film",
]
