"""What is asked of an engine, and what it tells while it works."""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from inference.regions import MAX_PIXELS, MIN_PIXELS, Preparation

# A text that goes on past these is told no more before its end: nobody reads that far along.
MOST_TOLD_TOKENS = 4096


class EngineError(Exception):
    """The model can't do this; the message tells a person why and what would help."""


@dataclass(frozen=True)
class EngineSettings:
    """Which model, and how. `sha256`, where given, must be the folder's `folder_sha256`.

    `device` is "auto" (CUDA, else Apple's MPS, else the CPU), one of torch's devices, "spread" (over all CUDA
    devices), or a list of devices over which the weights are spread, each with the most that it takes of
    them where that is said: "cuda:0=40GiB,cuda:1,cpu,disk". `dtype` is "auto" (what fits the device, see
    `inference.devices`) or torch's name. `micro_batch`: how many requests share a forward pass.
    `feature_bytes`: how much of what the model made of the last films is kept for further questions on
    them; 0 keeps nothing. `runs_own_code`: the Python in the folder is run, which may do whatever this
    process may; `sha256` must then be given, so that it is the code that somebody has read. `size_multiple`
    divides the sides of such a model's picture.
    """

    folder: Path
    min_pixels: int = MIN_PIXELS
    max_pixels: int = MAX_PIXELS
    preparation: Preparation = Preparation.ASPECT
    sha256: str = ""
    device: str = "auto"
    dtype: str = "auto"
    micro_batch: int = 8
    feature_bytes: int = 256 * 1024**2
    size_multiple: int = 28
    runs_own_code: bool = False


@dataclass(frozen=True)
class Shape:
    """What an answer must look like: `fits` says whether one does, `regex` holds a server to it where it
    knows how (vLLM's structured outputs). For a second try alone: it costs the model its own words."""

    regex: str
    fits: Callable[[str], bool]


@dataclass(frozen=True)
class EndpointSettings:
    """A model that another server runs, by the OpenAI chat protocol. `url` is where its API begins, as in
    http://127.0.0.1:8000/v1; it must lie on this machine or at one of `origins` (scheme, host, port).

    Where not `allows_this_machine`, it too must be named there. `key_name` says where a person finds the key.

    `served_model` is its name there. The film is made the picture of these sizes before it is sent, so that
    the frame of its boxes is known; `size_multiple` divides its sides. `num_in_flight`: requests at once.
    `most_tries`: of one request, where the server is busy, ill or lost; the wait between them starts at
    `first_wait_seconds` and doubles.
    """

    url: str
    served_model: str
    origins: frozenset[str] = frozenset()
    allows_this_machine: bool = True
    key: str = field(default="", repr=False)
    key_name: str = "INFERENCE_ENDPOINT_KEY"
    ca_file: str | None = None
    min_pixels: int = MIN_PIXELS
    max_pixels: int = MAX_PIXELS
    preparation: Preparation = Preparation.ASPECT
    size_multiple: int = 28
    shape: Shape | None = None
    num_in_flight: int = 16
    most_tries: int = 4
    first_wait_seconds: float = 0.5


@dataclass(frozen=True)
class ReplaySettings:
    """Completions recorded elsewhere (`inference.recorded`) instead of a model. `model` chooses one where the
    file holds several; `image_of` gives the file's name of a film for a request's key. The sizes are those of
    the picture that the model saw, where the file tells none."""

    file: Path
    model: str = ""
    image_of: Callable[[str], str] = str
    min_pixels: int = MIN_PIXELS
    max_pixels: int = MAX_PIXELS
    preparation: Preparation = Preparation.ASPECT
    size_multiple: int = 28


AnySettings = EngineSettings | EndpointSettings | ReplaySettings


@dataclass(frozen=True)
class GenerationRequest:
    """One film (uint8, rows x columns) and one question, as `prompts` rendered it; or a question alone, where
    `film` is None, for a model that reads text.

    `key` names it in the events. At temperature 0 the likeliest token is taken and `seed` means nothing; else
    the same seed gives the same text, whatever else is in the batch. Of `max_new_tokens` and
    `deadline_seconds` whichever comes first ends it. `tells_text`: somebody looks on while it is written.
    """

    key: str
    film: NDArray[np.uint8] | None
    prompt: str
    temperature: float
    seed: int
    max_new_tokens: int
    deadline_seconds: float | None = None
    tells_text: bool = False

    @property
    def shown_film(self) -> NDArray[np.uint8]:
        """Raises EngineError where the question comes alone."""
        if self.film is None:
            raise EngineError("A film is asked about here, and this question comes without one.")
        return self.film


@dataclass(frozen=True)
class SoFar:
    """What is written of a completion that is not complete; `model_size` as in `Done`."""

    text: str
    model_size: tuple[int, int]


@dataclass(frozen=True)
class Token:
    """One more token was written. `so_far` comes with few of them, and only where the request asks for it."""

    key: str
    num_tokens: int
    so_far: SoFar | None = None


@dataclass(frozen=True)
class Done:
    """`prompt` is the whole text that the model was given, `model_size` (width, height) the image it saw,
    (0, 0) where there was none; `ended` is "stop" where the model ended by itself, "length" where
    `max_new_tokens` cut it off.

    `num_prompt_tokens`: film and question; it and `num_tokens` are 0 where nobody told. `is_shaped`: written
    at a second try that held it to a shape. `is_film_remembered`: the model in this process did not look at
    the film again. Of another server's model `prompt` is what it was sent, without
    its template; of a recorded one it is empty.
    """

    key: str
    text: str
    prompt: str
    num_tokens: int
    seconds: float
    model_size: tuple[int, int]
    ended: Literal["stop", "length"]
    num_prompt_tokens: int = 0
    is_shaped: bool = False
    is_film_remembered: bool = False


@dataclass(frozen=True)
class Failed:
    """This request can't be answered; `reason` is a sentence for a person."""

    key: str
    reason: str


@dataclass(frozen=True)
class Stopped:
    """Nobody wants this answer any more."""

    key: str


Event = Token | Done | Failed | Stopped
IsWanted = Callable[[str], bool]


def every_one(key: str) -> bool:
    """Of requests of which none is taken back."""
    return True


class Engine(Protocol):
    """A model in memory."""

    def generate(self, requests: Sequence[GenerationRequest]) -> Generator[Event]:
        """Token events as they are written, and one Done or Failed per request, in any order.

        Closing the iterator stops the work within one token.
        """
        ...


class ServingEngine(Engine, Protocol):
    """One whose requests are of many people, each of whom may take theirs back."""

    def generate(
        self, requests: Iterable[GenerationRequest], *, is_wanted: IsWanted = every_one
    ) -> Generator[Event]:
        """As `Engine.generate`, each Done or Failed as soon as it is known.

        A request whose key is not wanted any more is Stopped within one token, and the others go on;
        `is_wanted` is asked often, from several threads. The engine of a model server draws each request when
        there is room for it, one with a model in memory draws all of them first.
        """
        ...
