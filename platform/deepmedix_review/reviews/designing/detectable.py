"""How small a difference between two model versions a reader study would show, and whence that is known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection

from deepmedix_review.reviews.criteria.versions import Asked
from deepmedix_review.reviews.designs import ReaderStudyDesign, StudyPlan
from rl_feedback.agreement import (
    ClusterSpread,
    detectable_difference,
    detectable_difference_of_groups,
    spread_in_clusters,
)
from rl_feedback.counting import counted

# Fewer readings, or cases with several, tell too little of how far differences lie apart.
LEAST_READINGS, LEAST_CASES = 30, 10
READINGS_COUNTED = 2_000
# Until it is measured: how alike one reading rates the two outputs, and different readings their difference.
SAME_READING, SAME_CASE = 0.5, 0.3
MOST_POINTS, MOST_SHARE = 4.0, 1.0
PLAUSIBILITY, SHARE = "mean plausibility", "the share of regions that fit"

# Of each reading with two outputs, as amended last: its case, and the later output's mean less that of the
# earlier.
_DIFFERENCES = """
SELECT newest.case_id,
  avg({value}) FILTER (WHERE step.completion_id = newest.later)
  - avg({value}) FILTER (WHERE step.completion_id = newest.earlier)
FROM (
  SELECT reading.id, assignment.case_id, greatest(reading.completion_a_id, reading.completion_b_id) AS later,
    least(reading.completion_a_id, reading.completion_b_id) AS earlier
  FROM reviews_reading reading
  JOIN reviews_assignment assignment ON assignment.id = reading.assignment_id AND assignment.kind = 'first'
  JOIN reviews_case c ON c.id = assignment.case_id AND c.role = 'data'
  JOIN reviews_readerstudy study ON study.id = c.reader_study_id AND NOT study.is_demo
    AND (study.state = 'locked' OR NOT study.hides_results)
  WHERE reading.signed_at IS NOT NULL AND reading.completion_b_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM reviews_reading newer WHERE newer.amends_id = reading.id AND newer.signed_at IS NOT NULL)
  ORDER BY reading.signed_at DESC LIMIT %s
) newest
JOIN {said} ON said.reading_id = newest.id
{steps}
GROUP BY newest.id, newest.case_id
HAVING count({value}) FILTER (WHERE step.completion_id = newest.later) > 0
  AND count({value}) FILTER (WHERE step.completion_id = newest.earlier) > 0
"""
_PLAUSIBILITY = _DIFFERENCES.format(
    value="said.plausibility",
    said="reviews_steprating said",
    steps="JOIN reasoning_reasoningstep step ON step.id = said.step_id",
)
_VERDICTS = _DIFFERENCES.format(
    value="(said.verdict = 'fits')::int",
    said="reviews_regionannotation said",
    steps="JOIN reasoning_region region ON region.id = said.region_id "
    "JOIN reasoning_reasoningstep step ON step.id = region.step_id",
)


@dataclass(frozen=True)
class Detectable:
    """`points` of mean plausibility and `share` of regions that fit: the smallest true differences that are
    found at 80 % power and alpha .05. None of what is not asked, or where none that the scale has is found.
    `whence` says what is assumed or was measured of each. `is_paired`: whether each reading shows both.
    `why_none`: where results compare no case, or some of them alone, so that nothing is found."""

    asks: tuple[str, ...]
    points: float | None
    share: float | None
    whence: tuple[str, ...]
    is_paired: bool = True
    why_none: str = ""

    @property
    def sentence(self) -> str:
        if self.why_none:
            return self.why_none
        told = []
        if self.points is not None:
            told.append(f"{self.points:.2f} points or more in {PLAUSIBILITY}")
        if self.share is not None:
            points = f"{100 * self.share:.0f} percentage points"
            told.append(f"{points} or more in {SHARE}")
        if not told:
            return (
                "So few cases would miss any difference between the two versions in "
                f"{' and in '.join(self.asks)}: choose more."
            )
        found = {PLAUSIBILITY: self.points, SHARE: self.share}
        missed = [asked for asked in self.asks if found[asked] is None]
        any_missed = f" Any difference in {' and in '.join(missed)} it would miss." if missed else ""
        return (
            f"If the two versions differ by {', or by '.join(told)}, this study would show it in 4 of 5 "
            f"tries (80 % power at alpha .05); a smaller difference it may miss.{any_missed}"
        )


def detectable_of(plan: StudyPlan, design: ReaderStudyDesign, asked: Sequence[Asked]) -> Detectable | None:
    """None unless readings show both versions, or either, and rate their steps or regions."""
    fields = {item.criterion.field for item in asked}
    asks = {"plausibility": PLAUSIBILITY, "verdict": SHARE}
    wanted = [asks[field] for field in asks if field in fields]
    is_paired = design.shows == "two_versions"
    if not (is_paired or design.shows == "one_of_two") or not wanted or not plan.readers_per_case:
        return None
    few = "" if is_paired else _of_few_readers(plan, design)
    if few:
        return Detectable(
            asks=tuple(wanted), points=None, share=None, whence=(), is_paired=False, why_none=few
        )
    whence, found = [], {}
    for field, query, assumed, called in (
        ("plausibility", _PLAUSIBILITY, plan.assumptions.standard_deviation_points, "Plausibility"),
        ("verdict", _VERDICTS, _spread_of_shares(plan, num_outputs=design.num_outputs), "Regions"),
    ):
        if field not in fields:
            continue
        if is_paired:
            spread, icc, said = _spread(_measured(query), assumed=assumed * (2 * (1 - SAME_READING)) ** 0.5)
            found[field] = detectable_difference(
                spread, num_clusters=plan.num_data_cases, per_cluster=plan.readers_per_case, icc=icc
            )
        else:
            found[field], said = _of_groups(plan, assumed=assumed)
        whence.append(f"{called}: {said}.")
    return Detectable(
        asks=tuple(wanted),
        points=_within(found.get("plausibility"), MOST_POINTS),
        share=_within(found.get("verdict"), MOST_SHARE),
        whence=tuple(whence),
        is_paired=is_paired,
    )


def _of_groups(plan: StudyPlan, *, assumed: float) -> tuple[float | None, str]:
    """Where each reading shows one of the two: half of a case's readings are of either, of which it has two
    or more. Of one output in one reading `assumed` is the standard deviation."""
    found = detectable_difference_of_groups(
        assumed,
        num_clusters=plan.num_data_cases,
        per_cluster=plan.readers_per_case / 2,
        icc=SAME_CASE,
        are_in_both=True,
    )
    return found, (
        f"assumed, what a reading says of its output has a standard deviation of {assumed:.2f}, and readings "
        f"of one output are alike by an ICC of {SAME_CASE}"
    )


def _of_few_readers(plan: StudyPlan, design: ReaderStudyDesign) -> str:
    """Why results can't compare all cases, where each reading shows one of the two; empty where they can."""
    if plan.readers_per_case <= 1:
        return (
            "With fewer than 2 readers a case, no case is read in both versions, and results compare none: "
            "choose 2 or more."
        )
    if design.design == "anchor_rotation" and (design.readers_per_case or 1) < 2:
        return (
            "With fewer than 2 readers for each case that goes round, the anchor cases alone are read in "
            "both versions, and results compare these alone: choose 2 or more."
        )
    if plan.readers_per_case < 2:
        return (
            "With fewer than 2 readers a case, only some cases are read in both versions, and results "
            "compare these alone: choose 2 or more."
        )
    return ""


def _within(difference: float | None, most: float) -> float | None:
    return difference if difference is not None and difference <= most else None


def _spread_of_shares(plan: StudyPlan, *, num_outputs: int) -> float:
    """Of one output's share of regions that fit, in one reading, by the plan's assumptions of shares."""
    assumed, regions = plan.assumptions, max(1.0, plan.times.regions / num_outputs)
    alike = 1 + (regions - 1) * assumed.icc_of_votes
    return float((assumed.vote_share * (1 - assumed.vote_share) * alike / regions) ** 0.5)


def _measured(query: str) -> ClusterSpread | None:
    """Of the latest readings, where they are enough."""
    with connection.cursor() as cursor:
        cursor.execute(query, [READINGS_COUNTED])
        rows: Iterable[tuple[int, float]] = cursor.fetchall()
    cases, differences = [case for case, _ in rows], [float(difference) for _, difference in rows]
    found = spread_in_clusters(differences, cases) if differences else None
    is_enough = found and found.num >= LEAST_READINGS and found.num_clusters >= LEAST_CASES
    return found if is_enough else None


def _spread(measured: ClusterSpread | None, *, assumed: float) -> tuple[float, float, str]:
    """The standard deviation of a reading's difference, the ICC of those of one case, and both in words."""
    if measured is None or not measured.standard_deviation:
        since = (
            f"until {LEAST_READINGS} readings of {LEAST_CASES} cases with two outputs are signed"
            if measured is None
            else f"since all differences of {counted(measured.num, 'signed reading')} are alike so far"
        )
        return (
            assumed,
            SAME_CASE,
            f"assumed {since}, "
            f"the difference within a reading has a standard deviation of {assumed:.2f} (its two outputs are "
            f"alike by a correlation of {SAME_READING}), and those of one case are alike by an ICC of "
            f"{SAME_CASE}",
        )
    is_known = measured.icc is not None and measured.num_repeated >= LEAST_CASES
    icc = measured.icc if is_known and measured.icc is not None else SAME_CASE
    readings = counted(measured.num, "signed reading")
    told = "measured" if is_known else "assumed, since too few cases have several readings"
    return (
        measured.standard_deviation,
        icc,
        f"the difference within a reading has a standard deviation of {measured.standard_deviation:.2f}, as "
        f"in {readings} of {counted(measured.num_clusters, 'case')} with two outputs; those of one case are "
        f"alike by an ICC of {icc:.2f}, {told}",
    )
