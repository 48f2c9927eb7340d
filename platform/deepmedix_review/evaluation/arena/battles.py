"""Which outputs may meet, and what experts have said of them."""

import itertools
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction

from deepmedix_review.evaluation.models import Battle, Judgement
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Vote
from deepmedix_review.reviews.selectors import signed_readings

_VERDICTS = {Vote.Side.A: Judgement.Verdict.FIRST, Vote.Side.B: Judgement.Verdict.SECOND}


@dataclass(frozen=True)
class OpenPair:
    """Two outputs that may meet, the older row first, the versions that wrote them, and `where`: the film and
    the question."""

    left: int
    right: int
    study: int
    versions: frozenset[int]
    where: tuple[int, str]

    @property
    def key(self) -> str:
        return f"{self.left}-{self.right}"


def open_pairs(versions: Sequence[ModelVersion], *, seed: int) -> list[OpenPair]:
    """One pair for each film, question and two of the versions: the outputs that experts voted on where there
    are such, else the first ones. Those with votes come first, the others in an order drawn by `seed`.

    Where both say the same there is nothing to judge: see `num_alike`.
    """
    ids = [version.pk for version in versions]
    found: dict[tuple[int, str, frozenset[int]], OpenPair] = {}
    voted = (
        Battle.objects.filter(
            left__model_version__in=ids,
            right__model_version__in=ids,
            judgements__kind=Judgement.Kind.EXPERT,
        )
        .select_related("left", "right")
        .distinct()
        .order_by("pk")
    )
    for battle in voted:
        pair = pair_of(battle.left, battle.right)
        found.setdefault((*pair.where, pair.versions), pair)
    others = [
        pair
        for one, other in _first_outputs(ids)
        if said_by(one) != said_by(other)
        and (*(pair := pair_of(one, other)).where, pair.versions) not in found
    ]
    random.Random(seed).shuffle(others)
    return [*found.values(), *others]


def num_alike(versions: Sequence[ModelVersion]) -> int:
    """On how many films and questions two of the versions say the same, word for word."""
    ids = [version.pk for version in versions]
    return sum(said_by(one) == said_by(other) for one, other in _first_outputs(ids))


def said_by(completion: Completion) -> str:
    """What a reader would take for the report: the answer; all of it where it has none."""
    return completion.answer or completion.text


def _first_outputs(versions: Sequence[int]) -> Iterator[tuple[Completion, Completion]]:
    """Of each film and question, and of every two versions, what each wrote first."""
    first: dict[tuple[int, str], dict[int, Completion]] = defaultdict(dict)
    rows = Completion.objects.filter(model_version__in=versions).order_by("pk")
    for completion in rows.only("instance", "query", "model_version", "study", "answer", "text").iterator():
        first[completion.instance_id, completion.query].setdefault(completion.model_version_id, completion)
    for _, of_film in sorted(first.items(), key=lambda item: item[0]):
        for one, other in itertools.combinations(sorted(of_film), 2):
            yield of_film[one], of_film[other]


def keep_battles(pairs: Iterable[OpenPair]) -> None:
    """A row for each of them, made where there is none."""
    Battle.objects.bulk_create(
        [Battle(left_id=pair.left, right_id=pair.right, study_id=pair.study) for pair in pairs],
        ignore_conflicts=True,
    )


def take_votes(versions: Sequence[ModelVersion]) -> int:
    """Experts' votes between these versions as they count now: those of signed readings become judgements,
    and what was amended or withdrawn since is none any more. Returns how many there are."""
    ids = [version.pk for version in versions]
    votes = (
        Vote.objects.filter(
            kind=Vote.Kind.OVERALL,
            reading__in=signed_readings(),
            reading__completion_a__model_version__in=ids,
            reading__completion_b__model_version__in=ids,
        )
        .select_related("reading__completion_a", "reading__completion_b", "reading__assignment")
        .order_by("pk")
    )
    counted = [vote for vote in votes if vote.reading.completion_a.model_version_id != _version_b(vote)]
    with transaction.atomic():
        of_versions = Judgement.objects.filter(
            kind=Judgement.Kind.EXPERT,
            battle__left__model_version__in=ids,
            battle__right__model_version__in=ids,
        )
        of_versions.exclude(vote__in=counted).delete()
        known = set(of_versions.values_list("vote", flat=True))
        new = [vote for vote in counted if vote.pk not in known]
        pairs = [_pair_of(vote) for vote in new]
        keep_battles(pairs)
        rows = {
            (battle.left_id, battle.right_id): battle
            for battle in Battle.objects.filter(left__in={pair.left for pair in pairs})
        }
        Judgement.objects.bulk_create(
            Judgement(
                battle=rows[pair.left, pair.right],
                is_left_first=vote.reading.completion_a_id == pair.left,
                kind=Judgement.Kind.EXPERT,
                # "Both bad" names no better one.
                verdict=_VERDICTS.get(Vote.Side(vote.side), Judgement.Verdict.TIE),
                vote=vote,
                reader=vote.reading.assignment.reader,
            )
            for vote, pair in zip(new, pairs, strict=True)
        )
    return len(counted)


def _version_b(vote: Vote) -> int | None:
    other = vote.reading.completion_b
    return None if other is None else other.model_version_id


def pair_of(one: Completion, other: Completion) -> OpenPair:
    left, right = sorted((one.pk, other.pk))
    versions = frozenset({one.model_version_id, other.model_version_id})
    return OpenPair(left, right, one.study_id, versions, (one.instance_id, one.query))


def _pair_of(vote: Vote) -> OpenPair:
    one, other = vote.reading.completion_a, vote.reading.completion_b
    assert other is not None
    return pair_of(one, other)
