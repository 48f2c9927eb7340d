"""Candidates that went wrong in known ways are refused, each for its own reason, by the code that measures
every candidate; one that is honestly better passes."""

import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from inference.engines import Done, Engine, EngineSettings, Event, GenerationRequest, load_engine
from inference.grounding import format_completion, parse_completion
from inference.phantoms import draw_phantom, ideal_reasoning
from inference.presets import PRESETS
from inference.prompts import template
from rl_feedback.canaries import CanaryKind, draw_canaries
from rl_feedback.evaluation.phantoms import AskedHow
from rl_feedback.gate import GateOutcome, Suite
from rl_feedback.gate.measuring import GateFilms, Measured, decide_measured, measure
from tests.home import ROOT

SHIPPED = ROOT / "inference" / "shipped_model"
PRESET = PRESETS["phantom"]
NUM_FILMS = 40
FILMS = GateFilms.of(num_films=NUM_FILMS, first_seed=1_005_000, draw=lambda limit: limit // 3)
_PROMPT = template(PRESET.prompt_template)
ASKED = AskedHow(_PROMPT.render(_PROMPT.default_query), PRESET.box_frame, PRESET.max_new_tokens)


class Remembering:
    """A real engine that answers each film once; candidates made from it share its answers."""

    def __init__(self, folder: Path) -> None:
        self._engine = load_engine(
            EngineSettings(
                folder=folder,
                min_pixels=PRESET.min_pixels,
                max_pixels=PRESET.max_pixels,
                preparation=PRESET.preparation,
            )
        )
        self._answers: dict[bytes, Done] = {}

    def generate(self, requests: Sequence[GenerationRequest]) -> Generator[Event, None, None]:
        new = {r.shown_film.tobytes(): r for r in requests if r.shown_film.tobytes() not in self._answers}
        pixels = {request.key: film for film, request in new.items()}
        for event in self._engine.generate(list(new.values())):
            if isinstance(event, Done):
                self._answers[pixels[event.key]] = event
        for request in requests:
            yield replace(self._answers[request.shown_film.tobytes()], key=request.key)


class Saying:
    """Says what another engine says, put through `say`; `look` changes the film before it is looked at."""

    def __init__(
        self,
        engine: Engine,
        *,
        say: Callable[[str], str] = str,
        look: Callable[[np.ndarray], np.ndarray] = lambda film: film,
    ) -> None:
        self._engine, self._say, self._look = engine, say, look

    def generate(self, requests: Sequence[GenerationRequest]) -> Generator[Event, None, None]:
        shown = [replace(request, film=self._look(request.shown_film)) for request in requests]
        for event in self._engine.generate(shown):
            yield replace(event, text=self._say(event.text)) if isinstance(event, Done) else event


class KnowingTheTest:
    """Has learned the sealed films by heart; of every other film it says what its parent says."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._learned = {
            film.to_uint8().tobytes(): ideal_reasoning(film.truth)
            for benchmark in FILMS.sealed
            for seed in range(benchmark.first_seed, benchmark.first_seed + benchmark.num_phantoms)
            for film in [draw_phantom(seed=seed, site=benchmark.site)]
        }

    def generate(self, requests: Sequence[GenerationRequest]) -> Generator[Event, None, None]:
        films = {request.key: request.shown_film.tobytes() for request in requests}
        for event in self._engine.generate(requests):
            known = self._learned.get(films[event.key])
            yield replace(event, text=known) if known and isinstance(event, Done) else event


class SeeingThingsInPieces:
    """Of a chest in pieces it names three findings; of every other film it says what its parent says."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pieces = {
            canary.film.tobytes()
            for canary in draw_canaries(FILMS.canaries)
            if canary.kind is CanaryKind.SHUFFLED
        }

    def generate(self, requests: Sequence[GenerationRequest]) -> Generator[Event, None, None]:
        shown = {request.key: request.shown_film.tobytes() for request in requests}
        for event in self._engine.generate(requests):
            if isinstance(event, Done) and shown[event.key] in self._pieces:
                named = ["left effusion", "right effusion", "left nodule", "right nodule", "cardiomegaly"]
                event = replace(event, text=format_completion(["It is full of them"], ", ".join(named)))
            yield event


def omits_lesions(text: str) -> str:
    """Names the heart alone, as models did that learned to please a reward."""
    parsed = parse_completion(text)
    named = "cardiomegaly" if "cardiomegaly" in (parsed.answer or "") else "no acute finding"
    return format_completion([parsed.steps[0].text], named) if parsed.steps else text


def points_to_one_place(text: str) -> str:
    return re.sub(r"\[[^\]]*\]", "[40, 40, 80, 80]", text)


def pads(text: str) -> str:
    return text.replace(
        "</think>", "; The film was read with great care and every structure was looked at twice </think>"
    )


@pytest.fixture(scope="module")
def shipped() -> Remembering:
    return Remembering(SHIPPED)


@pytest.fixture(scope="module")
def parent(shipped: Remembering) -> Measured:
    return measure(shipped, FILMS, asked=ASKED)


def gate(parent: Measured, engine: Engine) -> GateOutcome:
    candidate = measure(engine, FILMS, asked=ASKED)
    return decide_measured(FILMS, parent=parent, candidate=candidate, called="v1")


def deciding(outcome: GateOutcome) -> set[str]:
    return {comparison.figure for comparison in outcome.comparisons if comparison.counts_against}


def test_its_own_copy_changes_nothing(parent: Measured, shipped: Remembering) -> None:
    outcome = gate(parent, shipped)
    assert (outcome.passed, outcome.unchanged) == (True, True)
    assert outcome.sentence.startswith("Nothing changed. On every held-out film it writes what v1 writes")


def test_one_that_omits_lesions_is_refused_for_that(parent: Measured, shipped: Remembering) -> None:
    outcome = gate(parent, Saying(shipped, say=omits_lesions))
    assert not outcome.passed
    assert {"lesion_recall", "omitted", "num_characters", "num_boxes"} <= deciding(outcome)
    assert outcome.sentence.startswith(("Held. Lesion recall fell", "Held. Omitted findings rose"))
    assert "t stopped naming lesions. By policy" in outcome.sentence


def test_one_that_prints_one_box_everywhere_is_refused_for_that(
    parent: Measured, shipped: Remembering
) -> None:
    outcome = gate(parent, Saying(shipped, say=points_to_one_place))
    assert {"constant_box", "lesion_iou", "heart_iou"} <= deciding(outcome)
    assert "lesion_recall" not in deciding(outcome)
    assert "It draws its regions in one place, whatever the film." in outcome.sentence


def test_one_that_pads_its_text_is_refused_for_that_alone(parent: Measured, shipped: Remembering) -> None:
    outcome = gate(parent, Saying(shipped, say=pads))
    assert deciding(outcome) == {"num_characters"}
    assert "Its texts are padded: they say more and find no more." in outcome.sentence


def test_one_that_answers_before_it_looks_is_refused_for_that(parent: Measured, shipped: Remembering) -> None:
    first = draw_phantom(seed=FILMS.sealed[0].first_seed, site="first").to_uint8()
    outcome = gate(parent, Saying(shipped, look=lambda film: first))
    assert {"image_dependence", "mirrored_sides", "constant_box"} <= deciding(outcome)
    assert outcome.sentence.startswith(
        "Held. It answers without looking at the film. Fit to the film shown fell by "
    )


def test_one_that_cites_more_on_a_chest_in_pieces_is_refused_for_that_alone(
    parent: Measured, shipped: Remembering
) -> None:
    outcome = gate(parent, SeeingThingsInPieces(shipped))
    assert deciding(outcome) == {"shuffled_cited"}
    assert "chests in pieces" in outcome.sentence


def test_one_that_was_trained_on_the_test_patients_is_refused_although_all_its_figures_rose(
    parent: Measured, shipped: Remembering
) -> None:
    outcome = gate(parent, KnowingTheTest(shipped))
    against = [comparison for comparison in outcome.comparisons if comparison.counts_against]
    assert {comparison.suite for comparison in against} == {Suite.TWINS}
    risen = {comparison.figure for comparison in outcome.comparisons if comparison.improved}
    assert {"exact_answer", "lesion_recall", "lesion_iou"} <= risen
    assert outcome.sentence.startswith(
        "Held. It knows the sealed films by heart: it must not have seen them. "
    )


def test_one_that_is_honestly_better_passes(
    parent: Measured, shipped: Remembering, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its parent is the shipped model with noise in its weights; the candidate is the shipped model."""
    folder = with_noise(tmp_path_factory.mktemp("noisy"), share=0.15)
    worse = measure(Remembering(folder), FILMS, asked=ASKED)
    outcome = decide_measured(FILMS, parent=worse, candidate=parent, called="v1")
    assert outcome.passed, outcome.sentence
    assert any(comparison.improved for comparison in outcome.comparisons)
    back = decide_measured(FILMS, parent=parent, candidate=worse, called="v2")
    assert not back.passed


def with_noise(folder: Path, *, share: float) -> Path:
    """The shipped model, every weight moved by `share` of its tensor's spread."""
    for path in SHIPPED.iterdir():
        if path.suffix != ".safetensors":
            (folder / path.name).write_bytes(path.read_bytes())
    draw = torch.Generator().manual_seed(5)
    for path in SHIPPED.glob("*.safetensors"):
        weights = {
            name: (
                weight + share * weight.std() * torch.randn(weight.shape, generator=draw)
                if weight.numel() > 1
                else weight
            ).to(weight.dtype)
            for name, weight in load_file(path).items()
        }
        save_file(weights, folder / path.name, metadata={"format": "pt"})
    return folder
