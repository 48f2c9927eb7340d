"""Can a reader be relied on: hidden repeats, control cases, the side voted for, and changes of mind."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection

from deepmedix_review.reasoning.models import Completion
from deepmedix_review.reviews.models import (
    Assignment,
    Case,
    ReaderStudy,
    RegionAnnotation,
    StepRating,
    Vote,
)
from deepmedix_review.reviews.results.figures import (
    Cell,
    Figure,
    Table,
    estimated,
    few_note,
    missing,
    rounded,
    wilson,
    written,
    written_interval,
)
from deepmedix_review.reviews.results.plots import interval_plot, share_plot
from deepmedix_review.reviews.results.rated import RatedCriterion
from deepmedix_review.reviews.results.readings import SIDES, Ratings, Readings, Said, reader_names
from deepmedix_review.reviews.results.twice import read_twice, said_twice
from rl_feedback.agreement import cohen_kappa, side_bias
from rl_feedback.counting import counted

_SHORT = {
    Completion.Alteration.WRONG_REGION: "region moved",
    Completion.Alteration.FOREIGN_SENTENCE: "foreign sentence",
}
# A step that a reader finds at most this plausible was seen through.
SEEN_THROUGH = 2
NO_REPEATS = "This design hides no repeats."
NO_CONTROLS = "This design has no control cases."
NO_FIRST_READS = "This design asks for no first read."
# By reader: signed first readings of data with a first read, as amended last, and how many of them have
# another answer since. Who settles a dispute has seen others' words by then.
_MINDS = """
SELECT reader.pseudonym, count(*), count(*) FILTER (
    WHERE (after.choice, after.findings, after.impression)
        IS DISTINCT FROM (read.choice, read.findings, read.impression) AND after.id IS NOT NULL)
FROM reviews_firstread read
JOIN reviews_reading reading ON reading.id = read.reading_id AND reading.signed_at IS NOT NULL
JOIN reviews_assignment assignment ON assignment.id = reading.assignment_id AND assignment.kind = 'first'
JOIN reviews_case ON reviews_case.id = assignment.case_id
JOIN accounts_user reader ON reader.id = assignment.reader_id
LEFT JOIN reviews_firstread after ON after.reading_id = read.reading_id AND after.is_after_reveal
WHERE NOT read.is_after_reveal AND reviews_case.reader_study_id = %s AND reviews_case.role = 'data'
  AND NOT EXISTS (
    SELECT 1 FROM reviews_reading newer WHERE newer.amends_id = reading.id AND newer.signed_at IS NOT NULL)
GROUP BY reader.pseudonym
"""


def reliability_figures(
    reader_study: ReaderStudy, readings: Readings, said: Said, rated: Sequence[RatedCriterion]
) -> tuple[Figure, ...]:
    return (
        _repeats(reader_study, readings, rated),
        _controls(reader_study, readings),
        *(_sides(readings, said.votes[one.vote], Vote.Kind(one.vote)) for one in rated if one.vote),
        _changes_of_mind(reader_study),
    )


def _repeats(reader_study: ReaderStudy, readings: Readings, rated: Sequence[RatedCriterion]) -> Figure:
    title, key = "Readers against themselves", "repeats"
    method = (
        "hidden repeats against the first reading of the same case: share of equal ratings with its Wilson "
        "interval; Cohen's kappa, quadratic weights on scales"
    )
    pairs = read_twice(readings, readings.of(Assignment.Kind.REPEAT))
    if not len(pairs):
        note = "No hidden repeat has been signed yet." if reader_study.repeat_share else NO_REPEATS
        return missing(key=key, title=title, method=method, note=note)
    rows: list[tuple[str, float | None, tuple[float, float] | None]] = []
    num_items: list[int] = []
    cells: list[tuple[Cell, ...]] = []
    for one in rated:
        _, first, again = said_twice(one.ratings, pairs)
        if not len(first):
            continue
        same = int((first == again).sum())
        low = min(one.values)
        size = len(one.values)
        confusion = np.bincount(
            ((first - low) * size + again - low).astype(np.int64), minlength=size * size
        ).reshape(size, size)
        weights = "quadratic" if one.is_scale else None
        kappa = estimated(cohen_kappa, confusion, weights)
        interval = wilson(same, len(first))
        rows.append((one.name, same / len(first), interval))
        num_items.append(len(first))
        cells.append(
            (one.name, rounded(same / len(first)), *map(rounded, interval), rounded(kappa.value), len(first))
        )
    if not rows:
        return missing(
            key=key, title=title, method=method, note="No item has been rated twice by one reader."
        )
    num_readers = len(np.unique(readings.reader[pairs[:, 0]]))
    name, share, interval_of_first = rows[0]
    assert interval_of_first is not None
    return Figure(
        key=key,
        title=title,
        table=Table(("criterion", "equal share", "low", "high", "kappa", "items rated twice"), tuple(cells)),
        method=method,
        n=f"{counted(len(pairs), 'repeat')} by {counted(num_readers, 'reader')}",
        value=f"{name} {written(share)} equal",
        interval=f"95 % interval {interval_of_first[0]:.2f} to {interval_of_first[1]:.2f}",
        note=few_note(num_items[0], "item"),
        plot=interval_plot(
            rows,
            low=0,
            high=1,
            marks=(0.5,),
            unit="share",
            said=f"{title}: {name} equal in {written(share)} of items",
        ),
    )


def _controls(reader_study: ReaderStudy, readings: Readings) -> Figure:
    """Each alteration that a reader was shown, and whether the reader said so."""
    title, key = "Seeing through control cases", "controls"
    method = (
        f"seen through: the wrong region called wrong or redrawn, or the altered step rated {SEEN_THROUGH} "
        "or less; Wilson interval"
    )
    chosen = np.flatnonzero(readings.of(Assignment.Kind.FIRST, Case.Role.CONTROL))
    altered = _alterations(reader_study)
    shown = [(int(row), what) for row in chosen for what in altered.get(int(readings.case[row]), ())]
    if not shown:
        note = "No control case has been signed yet." if reader_study.control_share else NO_CONTROLS
        return missing(key=key, title=title, method=method, note=note)
    keys = [int(readings.key[row]) for row in chosen]
    low_steps = set(
        StepRating.objects.filter(reading__in=keys, plausibility__lte=SEEN_THROUGH).values_list(
            "reading", "step__uid"
        )
    )
    refused = set(
        RegionAnnotation.objects.filter(reading__in=keys)
        .exclude(verdict=RegionAnnotation.Verdict.FITS)
        .values_list("reading", "region__uid")
    )
    names = reader_names(readings)
    counts: dict[str, list[int]] = {}
    by_alteration: dict[str, list[int]] = {}
    for row, what in shown:
        reading = int(readings.key[row])
        seen = (reading, what["step"]) in low_steps or (reading, what.get("region")) in refused
        label = _SHORT[what["alteration"]]
        for table, name in ((counts, names[int(readings.reader[row])]), (by_alteration, label)):
            tally = table.setdefault(name, [0, 0])
            tally[0] += seen
            tally[1] += 1
    rows = [
        (name, seen / total, wilson(seen, total))
        for name, (seen, total) in [*by_alteration.items(), *sorted(counts.items())]
    ]
    num_seen = sum(seen for seen, _ in by_alteration.values())
    low, high = wilson(num_seen, len(shown))
    cells: list[tuple[Cell, ...]] = [
        (name, seen, total, rounded(seen / total), *map(rounded, wilson(seen, total)))
        for name, (seen, total) in [*by_alteration.items(), *sorted(counts.items())]
    ]
    return Figure(
        key=key,
        title=title,
        table=Table(("alteration or reader", "seen through", "shown", "share", "low", "high"), tuple(cells)),
        method=method,
        n=f"{counted(len(shown), 'alteration')} shown to {counted(len(counts), 'reader')}",
        value=f"{num_seen / len(shown):.2f} seen through",
        interval=f"95 % interval {low:.2f} to {high:.2f}",
        note=few_note(len(shown), "alteration"),
        plot=interval_plot(
            rows,
            low=0,
            high=1,
            marks=(0.5,),
            unit="share",
            said=f"{title}: {num_seen} of {len(shown)}",
        ),
    )


def _alterations(reader_study: ReaderStudy) -> Mapping[int, Sequence[Mapping[str, Any]]]:
    """By case: what was altered, each step and region by its uid."""
    rows = Case.objects.filter(reader_study=reader_study, role=Case.Role.CONTROL)
    return {
        case: [
            {
                "alteration": what["alteration"],
                "step": UUID(what["step"]),
                "region": UUID(what["region"]) if what.get("region") else None,
            }
            for what in (known or {}).get("alterations", [])
        ]
        for case, known in rows.values_list("pk", "known_answer")
    }


def _sides(readings: Readings, votes: Ratings, kind: Vote.Kind) -> Figure:
    key, title = f"sides-{kind.value}", f"Side bias, {kind.label}"
    method = "exact binomial test of A against B, ties and both bad left out; Wilson interval of A's share"
    votes = votes.only(readings.of(Assignment.Kind.FIRST))
    if not len(votes.value):
        return missing(key=key, title=title, method=method, note="No vote has been signed yet.")
    who, names = readings.reader[votes.reading], reader_names(readings)
    rows = []
    for reader in np.unique(who):
        counts = np.bincount(votes.value[who == reader].astype(np.int64), minlength=len(SIDES))
        rows.append((names[int(reader)], [int(count) for count in counts]))
    total = [sum(column) for column in zip(*(counts for _, counts in rows), strict=True)]
    num_a, num_tie, num_b = (total[SIDES.index(side)] for side in ("a", "tie", "b"))
    found = estimated(side_bias, num_a, num_b, num_tie)
    p = getattr(found, "p", None)
    every = [("all readers", total), *rows]
    return Figure(
        key=key,
        title=title,
        table=Table(
            ("reader", "A", "tie", "B", "both bad"), tuple((name, *counts) for name, counts in every)
        ),
        method=method,
        n=f"{counted(sum(total), 'vote')} by {counted(len(rows), 'reader')}",
        value=f"A won {found.value:.2f} of the decided" + (f", p {p:.3f}" if p is not None else "")
        if found.value is not None
        else "",
        interval=written_interval(found),
        note=found.note or few_note(num_a + num_b, "decided vote"),
        plot=share_plot(
            every, names=("A", "tie", "B", "both bad"), said=f"{title}: A {num_a}, B {num_b}, ties {num_tie}"
        ),
    )


def _changes_of_mind(reader_study: ReaderStudy) -> Figure:
    """How often the model's answer moved the reader from what the first read said."""
    key, title = "first-reads", "First read against the word after the reveal"
    method = (
        "first readings with a locked first read whose answer after the reveal differs, as amended last; "
        "Wilson interval"
    )
    with connection.cursor() as cursor:
        cursor.execute(_MINDS, [reader_study.pk])
        counts = {name: (changed, reads) for name, reads, changed in cursor.fetchall()}
    if not counts:
        is_asked = reader_study.first_reads != ReaderStudy.FirstReads.OFF
        note = "No reading with a first read has been signed." if is_asked else NO_FIRST_READS
        return missing(key=key, title=title, method=method, note=note)
    changed, total = (sum(tally[place] for tally in counts.values()) for place in (0, 1))
    low, high = wilson(changed, total)
    cells: list[tuple[Cell, ...]] = [
        (name, *tally, rounded(tally[0] / tally[1])) for name, tally in sorted(counts.items())
    ]
    return Figure(
        key=key,
        title=title,
        table=Table(("reader", "changed", "first reads", "share"), tuple(cells)),
        method=method,
        n=f"{counted(total, 'first read')} by {counted(len(counts), 'reader')}",
        value=f"{changed / total:.2f} changed",
        interval=f"95 % interval {low:.2f} to {high:.2f}",
        note=few_note(total, "first read"),
        plot=interval_plot(
            [(name, t[0] / t[1], wilson(t[0], t[1])) for name, t in sorted(counts.items())],
            low=0,
            high=1,
            marks=(0.5,),
            unit="share",
            said=f"{title}: {changed} of {total} changed",
        ),
    )
