"""The parts of the design form that an ordinary study leaves alone: each says in a line how it stands now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.text import Truncator

from deepmedix_review.common.dates import say_day
from deepmedix_review.reviews.criteria.versions import Asked
from deepmedix_review.reviews.designing.words import ADJUDICATION, DESIGNS, FIRST_READS
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.study_services import TaughtCase
from deepmedix_review.reviews.templatetags.plans import percent
from rl_feedback.counting import counted

LONGEST_INSTRUCTIONS = 90
FIELDS = {
    "told": ("instructions",),
    "questions": (),
    "lists": (
        *("design", "readers_per_case", "num_blocks", "num_anchor_cases", "is_pool", "lease_minutes"),
        "seed",
    ),
    "checks": (
        *("first_reads", "first_read_share", "first_read_choices"),
        *("repeat_share", "washout_cases", "washout_days", "control_share"),
    ),
    "taught": (),
    "end": ("deadline", "hides_results", "adjudication", "adjudication_points"),
}
# A button in a section keeps it open where the page comes back whole.
OPENED_BY = {"add-taught": "taught"}


@dataclass(frozen=True)
class Section:
    """`said` is its setting in words."""

    key: str
    said: str
    is_open: bool


def sections(
    *,
    said: Mapping[str, Any],
    design: ReaderStudyDesign,
    asked: Sequence[Asked],
    taught: Sequence[TaughtCase],
    wrong: Sequence[str],
    action: str,
) -> dict[str, Section]:
    """By key. `wrong` names the fields, or the sections, that hold an error; those are open."""
    words = {
        "told": _instructions(said),
        "questions": _questions(asked),
        "lists": _lists(design, said),
        "checks": _checks(design),
        "taught": _taught(taught),
        "end": _end(said),
    }
    opened = {OPENED_BY.get(action, ""), *wrong}
    return {
        key: Section(key, words[key], is_open=key in opened or bool(opened & set(fields)))
        for key, fields in FIELDS.items()
    }


def _instructions(said: Mapping[str, Any]) -> str:
    text = " ".join(str(said.get("instructions") or "").split())
    return f"Instructions: {Truncator(text).chars(LONGEST_INSTRUCTIONS)}" if text else "Instructions: none."


def _questions(asked: Sequence[Asked]) -> str:
    if not asked:
        return "The usual six."
    names = [item.criterion.name + ("" if item.is_required else " (optional)") for item in asked]
    return f"{', '.join(names)}."


def _lists(design: ReaderStudyDesign, said: Mapping[str, Any]) -> str:
    name = dict(DESIGNS)[design.design].partition(":")[0]
    numbers = []
    if design.design == "split_plot":
        numbers.append(counted(design.num_blocks, "block"))
    if design.design == "anchor_rotation":
        numbers.append(counted(design.num_anchor_cases, "anchor case"))
    if design.readers_per_case:
        numbers.append(f"{design.readers_per_case} per case")
    if design.is_pool:
        numbers.append("from a pool")
    seed = said.get("seed")
    return f"{', '.join([name, *numbers])}. Seed: {1 if seed is None else seed}."


def _checks(design: ReaderStudyDesign) -> str:
    first = dict(FIRST_READS)[design.first_reads].lower()
    if design.first_reads == "share":
        first += f", {percent(design.first_read_share)}"
    repeats = "none"
    if design.repeat_share:
        repeats = (
            f"{percent(design.repeat_share)} behind {counted(design.washout_cases, 'case')} "
            f"and {counted(design.washout_days, 'day')}"
        )
    controls = percent(design.control_share) if design.control_share else "none"
    return f"First reads: {first}. Repeats: {repeats}. Controls: {controls}."


def _taught(taught: Sequence[TaughtCase]) -> str:
    words = {"training": "practice", "calibration": "calibration"}
    numbers = {word: sum(case.role == role for case in taught) for role, word in words.items()}
    said = [f"{number} {word}" for word, number in numbers.items() if number]
    return f"Cases: {', '.join(said) or 'none'}."


def _end(said: Mapping[str, Any]) -> str:
    deadline, kind = said.get("deadline"), said.get("adjudication") or "off"
    disagreement = "left as it is" if kind == "off" else dict(ADJUDICATION)[kind].lower()
    if kind != "off":
        disagreement += f", from {said.get('adjudication_points') or 2:g} points apart"
    results = "hidden until the lock" if said.get("hides_results") else "seen as they come"
    return (
        f"Deadline: {say_day(deadline) if deadline else 'none'}. Results: {results}. "
        f"Disagreement: {disagreement}."
    )
