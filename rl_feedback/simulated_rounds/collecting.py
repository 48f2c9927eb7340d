"""One round of ratings: drawn films, what a model says of them, and what SIMULATED readers say of that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference.engines import Done, Engine, EngineSettings, Failed, GenerationRequest, load_engine
from inference.phantom_dicom import write_phantom_dicom
from inference.phantom_truth import REPORT_QUERY, PhantomTruth
from inference.phantoms import draw_phantom
from inference.presets import PRESETS
from inference.prompts import template
from rl_feedback.choosing import most_differing
from rl_feedback.readings import SignedReading
from rl_feedback.simulated_readers import PANEL, Kind, SimulatedReading, as_signed_reading, read_case
from rl_feedback.simulated_rounds.sharing import num_films_for, readers_of_films

PRESET = PRESETS["phantom"]
PROMPT = template(PRESET.prompt_template).render(REPORT_QUERY)
FILM_SIDE_PX = 224
# Films of patients whom no model learned from and none is measured on.
ROUND_SEEDS = range(3_000_000, 4_000_000)


@dataclass(frozen=True)
class RoundFilm:
    """`file` lies in the data folder."""

    seed: int
    file: str
    truth: PhantomTruth


@dataclass(frozen=True)
class Collected:
    """`minutes` of simulated readers at work, by their committed seconds."""

    readings: tuple[SignedReading, ...]
    minutes: float


def engine_of(folder: Path) -> Engine:
    return load_engine(
        EngineSettings(
            folder=folder,
            min_pixels=PRESET.min_pixels,
            max_pixels=PRESET.max_pixels,
            preparation=PRESET.preparation,
        )
    )


def say_of_films(
    engine: Engine, films: Sequence[tuple[str, np.ndarray]], *, temperature: float, num_samples: int = 1
) -> dict[tuple[str, int], str]:
    """What the model says of each named film, by its name and the sample's number from 1."""
    requests = [
        GenerationRequest(
            key=f"{name} {sample}",
            film=pixels,
            prompt=PROMPT,
            temperature=temperature,
            seed=sample,
            max_new_tokens=PRESET.max_new_tokens,
        )
        for name, pixels in films
        for sample in range(1, num_samples + 1)
    ]
    said: dict[tuple[str, int], str] = {}
    for event in engine.generate(requests):
        if isinstance(event, Failed):
            raise ValueError(f"The model gave no answer to film {event.key}: {event.reason}")
        if isinstance(event, Done):
            name, sample = event.key.rsplit(" ", 1)
            said[name, int(sample)] = event.text
    return said


def collect_round(
    model: Path,
    data: Path,
    *,
    site: str,
    seeds: Sequence[int],
    kind: Kind,
    seed: int,
    num_readings: int,
    readers_per_film: int = 1,
    model_name: str = "",
    tell: Callable[[str], None] = lambda line: None,
) -> Collected:
    """Draw the films into `data`, ask the model twice about each, and let readers read them, a few of them
    everybody; of more films than these readings need, those on which the two samples differ most.

    `model_name` goes with the readings: what a model makes up is counted apart from what others do.
    """
    data.mkdir(parents=True, exist_ok=True)
    drawn = {number: draw_phantom(seed=number, site=site) for number in seeds}
    shown = [(str(number), film.to_uint8()) for number, film in drawn.items()]
    tell(f"{len(drawn)} films of the {site} site are drawn; the model is asked twice about each.")
    said = say_of_films(engine_of(model), shown, temperature=PRESET.temperature, num_samples=2)
    texts = {number: [said[str(number), 1], said[str(number), 2]] for number in seeds}
    films = []
    wanted = num_films_for(num_readings, num_readers=len(PANEL), readers_per_film=readers_per_film)
    for number in most_differing(texts, number=wanted):
        film = RoundFilm(number, f"{site}-{number}.dcm", drawn[number].truth)
        if not (data / film.file).exists():
            write_phantom_dicom(data / film.file, seed=number, size=FILM_SIDE_PX, site=site)
        films.append(film)
    readings, seconds = [], 0.0
    shared = readers_of_films(num_readings, num_readers=len(PANEL), readers_per_film=readers_per_film)
    for film, readers in zip(films, shared, strict=True):
        both = texts[film.seed]
        for reader in readers:
            reading = read_one(film, both, kind=kind, seed=seed, reader=reader)
            seconds += reading.seconds
            readings.append(
                as_signed_reading(
                    reading,
                    uid=f"{site}-{film.seed}-read-{reader}",
                    patient=f"{site}-{film.seed}",
                    prompt=PROMPT,
                    texts=both,
                    film=film.file,
                    film_side_px=FILM_SIDE_PX,
                    model=model_name,
                )
            )
    return Collected(tuple(readings), seconds / 60)


def read_one(
    film: RoundFilm, texts: Sequence[str], *, kind: Kind, seed: int, reader: int
) -> SimulatedReading:
    """By one reader of the panel."""
    drawn = film.seed + 7919 * seed + 104_729 * reader
    return read_case(PANEL[reader], film.truth, texts, kind=kind, seed=drawn)
