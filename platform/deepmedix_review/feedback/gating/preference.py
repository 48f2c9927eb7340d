"""Whom readers prefer, blinded: the votes of reader studies in which candidate and parent answered the same
films."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.db.models import Q

from deepmedix_review.feedback.gating.policies import current_policy
from deepmedix_review.feedback.gating.shadow import too_few
from deepmedix_review.feedback.learned.patients import patients_learned
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Vote
from deepmedix_review.reviews.results.figures import TOO_FEW_CASES
from deepmedix_review.reviews.selectors import signed_readings
from rl_feedback.counting import counted
from rl_feedback.gate import CaseScores, Comparison, Direction, Guard, Policy, Suite, compare_figure
from rl_feedback.gate.deciding import BenchmarkScores

FIGURE = "expert_preference"


@dataclass(frozen=True)
class Preference:
    """`comparison.candidate` is the share of films on which readers prefer the candidate, a tie half, each
    film counting once; its parent's share is taken as a half. Its note says where the films are too few to
    tell. None where no vote counts.

    `num_left_out` votes are on patients whom the candidate, or a version before it, learned from: what it
    does well on these proves nothing.
    """

    comparison: Comparison | None
    num_votes: int
    num_readers: int
    num_left_out: int


def preference_of(candidate: ModelVersion, *, parent: ModelVersion) -> Preference:
    """By the votes of signed readings between the two."""
    one, other = "reading__completion_a__model_version", "reading__completion_b__model_version"
    pairs = Q(**{one: candidate, other: parent}) | Q(**{one: parent, other: candidate})
    every = Vote.objects.filter(pairs, kind=Vote.Kind.OVERALL, reading__in=signed_readings())
    learned = Q(reading__assignment__case__study__patient_pseudonym__in=patients_learned(candidate))
    num_left_out = every.filter(learned).count()
    votes = (
        every.exclude(learned)
        .order_by("pk")
        .values_list(
            "side",
            "reading__completion_a__model_version",
            "reading__completion_a__instance",
            "reading__assignment__reader",
        )
    )
    by_film: dict[int, list[float]] = defaultdict(list)
    readers = set()
    for side, version_a, film, reader in votes:
        for_a = {Vote.Side.A: 1.0, Vote.Side.B: 0.0}.get(Vote.Side(side), 0.5)
        by_film[film].append(for_a if version_a == candidate.pk else 1 - for_a)
        readers.add(reader)
    return Preference(
        _compared(by_film, margin=current_policy().preference_margin) if by_film else None,
        sum(map(len, by_film.values())),
        len(readers),
        num_left_out,
    )


def preference_refusal(candidate: ModelVersion, *, parent: ModelVersion) -> str:
    """Why readers' votes keep it from serving; empty where they don't, or where there are none."""
    found = preference_of(candidate, parent=parent)
    row = found.comparison
    if row is None or not row.counts_against:
        return ""
    return (
        f"Readers prefer {parent}: they chose {candidate} on {row.candidate:.0%} of "
        f"{counted(row.num_cases, 'film')} ({0.5 + row.low:.0%} to {0.5 + row.high:.0%}), "
        f"in {counted(found.num_votes, 'vote')}. {row.note}"
    ).strip()


def _compared(by_film: Mapping[int, list[float]], *, margin: float) -> Comparison:
    """With an interval by bootstrap over films: several votes on one film are not independent."""
    guard = Guard(FIGURE, "Expert preference, over a half", Direction.HIGHER_IS_BETTER, margin)
    shares = tuple(sum(votes) / len(votes) for votes in by_film.values())
    even = (1.0,) * len(shares)
    scores = BenchmarkScores(
        "the readers' votes",
        {FIGURE: CaseScores((0.5,) * len(shares), even)},
        {FIGURE: CaseScores(shares, even)},
        Suite.SEALED,
    )
    found = compare_figure(scores, guard=guard, policy=Policy(number=1, guards=(guard,)))
    # A few films that are all alike have an interval without any width.
    can_tell = len(shares) >= TOO_FEW_CASES and not found.low <= 0 <= found.high
    return found if can_tell else replace(found, note=too_few(len(shares)))
