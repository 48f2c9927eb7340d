"""What each stage of training learns from a frozen data set, with the films' paths on this machine."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from django.db.models import QuerySet

from deepmedix_review.feedback.expert_spreads import Spread, Spreads, spread_at, spreads_of
from deepmedix_review.feedback.judgements import asked
from deepmedix_review.feedback.models import PreferenceDataset, PreferencePair
from deepmedix_review.feedback.rated_steps import rated_steps
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import Split, Study
from deepmedix_review.studies.selectors import film_path
from inference.grounding import parse_completion
from inference.presets import PRESETS
from inference.prompts import template
from rl_feedback.preferences import GROUNDING, OVERALL
from rl_feedback.preferences.following import texts_to_follow
from rl_feedback.rewards.truth import CaseTruth, case_told_by
from rl_feedback.training.config import SftConfig, StageConfig
from rl_feedback.training.drawn import num_to_fill
from rl_feedback.training.examples import (
    Example,
    JudgedText,
    KeptText,
    RatedStep,
    RewardedCase,
    TaughtText,
    TrainingPair,
    write_examples,
)
from rl_feedback.training.stages import KEPT, QUESTIONS

AnyText = TypeVar("AnyText", bound=TaughtText)


class Writes(Protocol):
    """A model, by how it sees films and counts its regions."""

    @property
    def box_frame(self) -> str: ...
    @property
    def image_preparation(self) -> str: ...
    @property
    def min_pixels(self) -> int: ...
    @property
    def max_pixels(self) -> int: ...


# How likely a text must deserve more than the middle of the scale to be an example to follow, and up to what
# likelihood it is one to avoid; between them nobody knows. One reader's four alone reaches the first.
GOOD_FROM = 0.8
BAD_TO = 0.35
MIDDLE = 0.5
LEAST_WEIGHT = 0.1

LEARNS_FROM: Mapping[str, type[Example]] = {
    "sft": TaughtText,
    "dpo": TrainingPair,
    "kto": JudgedText,
    "grpo": RewardedCase,
}


@dataclass(frozen=True)
class Examples:
    """By kind; none of studies withdrawn since the freeze, for a held film reaches no worker. `may_draw` says
    that the parent learned from drawn films, so that those may stand beside."""

    by_kind: Mapping[type[Example], Sequence[Example]]
    may_draw: bool = False

    def of(self, config: StageConfig) -> Sequence[Example]:
        """What a stage of these choices learns from."""
        found = self.by_kind[LEARNS_FROM[config.kind]]
        return [one for one in found if not config.origins or one.origin in config.origins]

    def num_drawn(self, config: StageConfig) -> int:
        """How many drawn films fill up what a stage of these choices learns from. None where the data set
        teaches nothing at all: they stand beside what readers said, not for it."""
        if not isinstance(config, SftConfig) or not self.may_draw or not any(self.by_kind.values()):
            return 0
        return num_to_fill(config, len(self.of(config)))

    def pairs_of(self, config: StageConfig) -> list[TrainingPair]:
        """The pairs that a stage of these choices learns from; none of a stage that learns from others."""
        return [one for one in self.of(config) if isinstance(one, TrainingPair)]

    @property
    def kept(self) -> Sequence[Example]:
        return self.by_kind[KeptText]

    def num_missing_films(self) -> int:
        """How many films are no longer on this machine's disk."""
        films = {one.film for examples in self.by_kind.values() for one in examples}
        return sum(not Path(film).is_file() for film in films)

    def write(self, folder: Path) -> None:
        """As a data folder that `python -m rl_feedback` reads."""
        for kind, examples in self.by_kind.items():
            if examples:
                write_examples(folder, examples, kind=kind)


def without_drawn(stage: StageConfig, examples: Examples) -> StageConfig:
    """Drawn films are shown to models that learned from them alone; others replay what readers found good,
    where the data set has any."""
    if examples.may_draw:
        return stage
    if isinstance(stage, SftConfig):
        stage = replace(stage, fill_up_to=0)
    if stage.replay_from != "drawn":
        return stage
    if examples.kept:
        return replace(stage, replay_from="kept")
    return replace(stage, replay_per_step=0)


def examples_of(dataset: PreferenceDataset, *, parent: ModelVersion) -> Examples:
    """Everything of the train side in the frame in which the parent writes its regions."""
    rows = list(writable_by(parent, _learned(dataset.pairs)))
    judged, good = judged_of(writable_by(parent, _learned(dataset.labels)))
    known = known_of(rows, good)
    return Examples(
        {
            TrainingPair: [pair_of(row) for row in rows],
            TaughtText: _each_once([*(_text(TaughtText, *one) for one in known), *_answers(known)]),
            KeptText: [_text(KeptText, *one) for one in known if one[2] == KEPT],
            JudgedText: judged,
            RewardedCase: cases_known(known, spreads=spreads_of(dataset.regions.all())),
            RatedStep: rated_steps(dataset, parent=parent),
        },
        may_draw=parent.prompt_template == PRESETS["phantom"].prompt_template,
    )


def cases_of(
    dataset: PreferenceDataset, *, parent: ModelVersion, side: Split, leaves: bool = False
) -> list[RewardedCase]:
    """What is known of the films of one side, with what readers gave each step; where it `leaves` for
    elsewhere, nothing of films whose licence forbids that."""
    pairs, labels = (writable_by(parent, _learned(rows, side)) for rows in (dataset.pairs, dataset.labels))
    if leaves:
        pairs, labels = may_leave(pairs), may_leave(labels)
    rows = list(pairs)
    known = known_of(rows, judged_of(labels)[1])
    steps = step_labels(dataset, [completion.pk for _, completion, _ in known])
    return cases_known(known, steps, spreads=spreads_of(dataset.regions.all()))


def known_of(rows: Sequence[PreferencePair], good: Iterable[Completion]) -> list[tuple[str, Completion, str]]:
    """Texts that readers let stand, each with its completion and its origin: corrections, then what they
    found good as it was."""
    corrected = texts_to_follow((row.completion_id, row) for row in rows)
    changed = {row.completion_id for row in corrected}
    return [
        *((row.chosen, row.completion, str(row.origin)) for row in corrected),
        *((completion.text, completion, KEPT) for completion in good if completion.pk not in changed),
    ]


def step_labels(dataset: PreferenceDataset, completions: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    labels = dataset.labels.filter(completion__in=completions, step__isnull=False).order_by("position")
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for completion, text, criterion, value, variance in labels.values_list(
        "completion", "step__text", "criterion", "value", "variance"
    ):
        found[completion].append({"text": text, "criterion": criterion, "value": value, "variance": variance})
    return found


def num_misfits(dataset: PreferenceDataset, *, parent: ModelVersion) -> int:
    """Pairs of ready studies whose regions are in coordinates that the parent does not write."""
    ready = _learned(dataset.pairs).filter(completion__study__state=Study.State.READY)
    return ready.count() - writable_by(parent, _learned(dataset.pairs)).count()


def num_pairs_to_learn(dataset: PreferenceDataset) -> int:
    """Those of the train side; patients of the others are held out."""
    return _learned(dataset.pairs).count()


def num_withdrawn_pairs(dataset: PreferenceDataset) -> int:
    """Pairs of studies that an admin put on hold or rejected since the freeze."""
    return _learned(dataset.pairs).exclude(completion__study__state=Study.State.READY).count()


def _learned(rows: Any, side: Split = Split.TRAIN) -> "QuerySet[Any]":
    """Of one side of patients; training learns from the train side alone."""
    learned: QuerySet[Any] = rows.filter(split=side)
    return learned


def may_leave(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Nothing of films that were given to named people alone."""
    return rows.exclude(completion__study__source__is_credentialed=True)


def num_films_kept_back(dataset: PreferenceDataset, *, sides: Sequence[Split]) -> int:
    """Films of these sides that are in use and may not leave."""
    kept: set[int] = set()
    for rows in (dataset.pairs, dataset.labels):
        found = rows.filter(
            split__in=sides,
            completion__study__state=Study.State.READY,
            completion__study__source__is_credentialed=True,
        )
        kept |= set(found.order_by().values_list("completion__instance", flat=True).distinct())
    return len(kept)


def writable_by(parent: Writes, rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Rows of ready studies whose texts count their regions as this model does."""
    return rows.filter(
        completion__study__state=Study.State.READY,
        completion__model_version__box_frame=parent.box_frame,
        completion__model_version__image_preparation=parent.image_preparation,
        completion__model_version__min_pixels=parent.min_pixels,
        completion__model_version__max_pixels=parent.max_pixels,
    ).select_related("completion__instance", "completion__model_version")


def pair_of(row: PreferencePair) -> TrainingPair:
    return TrainingPair(
        film=str(film_path(row.completion.instance)),
        prompt=row.prompt,
        weight=row.weight,
        origin=row.origin,
        chosen=row.chosen,
        rejected=row.rejected,
        prefix=row.prefix,
    )


def _text(kind: type[AnyText], text: str, completion: Completion, origin: str) -> AnyText:
    return kind(str(film_path(completion.instance)), asked(completion), 1.0, origin, text)


def _answers(known: Iterable[tuple[str, Completion, str]]) -> list[TaughtText]:
    """Questions with the answers that readers let stand, as instruction fine-tuning learns them: the bare
    question, and no reasoning before the answer. Not the template's own question where it is asked bare:
    that one is to be reasoned on."""
    return [
        TaughtText(
            str(film_path(completion.instance)), completion.query, 1.0, QUESTIONS[0], f"\\boxed{{{answer}}}"
        )
        for text, completion, _ in known
        for answer in (parse_completion(text).answer,)
        for asks in (template(completion.model_version.prompt_template),)
        if answer and asks.render(asks.default_query) != completion.query.strip()
    ]


def _each_once(texts: Iterable[TaughtText]) -> list[TaughtText]:
    found: dict[tuple[str, str, str], TaughtText] = {}
    for text in texts:
        found.setdefault((text.film, text.prompt, text.text), text)
    return list(found.values())


def judged_of(labels: "QuerySet[Any]") -> tuple[list[JudgedText], list[Completion]]:
    """Texts that readers found good or bad, and the completions in which nothing was found wrong; where
    readers judged regions alone, by those."""
    rows = labels.order_by("completion", "position")
    sure: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for completion, criterion, value, variance in rows.values_list(
        "completion", "criterion", "value", "variance"
    ):
        sure[completion][criterion].append(_likelihood_above_the_middle(value, variance))
    completions = Completion.objects.select_related("instance", "model_version").in_bulk(sure)
    judged: list[JudgedText] = []
    flawless: list[Completion] = []
    for key, by_criterion in sure.items():
        completion = completions[key]
        is_flawless = (
            not completion.problems
            and min(one for every in by_criterion.values() for one in every) >= GOOD_FROM
        )
        if is_flawless and (OVERALL in by_criterion or set(by_criterion) == {GROUNDING}):
            flawless.append(completion)
        if OVERALL not in by_criterion:
            continue
        (likelihood,) = by_criterion[OVERALL]
        is_good = likelihood >= GOOD_FROM and not completion.problems
        if not is_good and likelihood > BAD_TO:
            continue
        film, weight = str(film_path(completion.instance)), max(LEAST_WEIGHT, 2 * abs(likelihood - 0.5))
        judged.append(JudgedText(film, asked(completion), weight, "rating", completion.text, is_good))
    return judged, flawless


def _likelihood_above_the_middle(value: float, variance: float | None) -> float:
    """Of what a thing deserves, normally distributed around its label; old labels were taken for certain."""
    if not variance:
        return 1.0 if value > MIDDLE else 0.5 if value == MIDDLE else 0.0
    return NormalDist(value, variance**0.5).cdf(2 * value - MIDDLE)


def cases_known(
    known: Iterable[tuple[str, Completion, str]],
    steps: Mapping[int, Sequence[dict[str, Any]]] = MappingProxyType({}),
    *,
    spreads: Spreads,
) -> list[RewardedCase]:
    """Each film with what comes nearest to its truth: a correction, or what readers found good."""
    found: dict[tuple[str, str], RewardedCase] = {}
    for text, completion, origin in known:
        film, prompt = str(film_path(completion.instance)), asked(completion)
        if (film, prompt) not in found:
            found[film, prompt] = RewardedCase.of(
                _truth(text, completion, spreads.get(completion.pk, ())),
                film=film,
                prompt=prompt,
                weight=1.0,
                origin=origin,
                steps=steps.get(completion.pk, ()),
            )
    return list(found.values())


def _truth(text: str, completion: Completion, spreads: Sequence[Spread]) -> CaseTruth:
    """What a text says that readers let stand, each region with the spread of the readers' own boxes where it
    lies where they do."""
    case = case_told_by(
        text,
        image_size=(completion.image_width, completion.image_height),
        model_size=(completion.model_width, completion.model_height),
        box_frame=completion.model_version.box_frame,
    )
    regions = [replace(region, tolerance=spread_at(region.box, spreads)) for region in case.regions or ()]
    return replace(case, regions=tuple(regions))
