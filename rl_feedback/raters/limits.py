"""What a set of readers' words can't tell, in sentences for a person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rl_feedback.raters.cells import Cells, Integers, Truths, groups_of_readers


@dataclass(frozen=True, eq=False)
class Limits:
    """`group` is by reader. The three `knows_…` say whether a reader's own place (severity, side bias), the
    weight of a reader's word, and the share that a reader would say again can be estimated at all."""

    group: Integers
    knows_place: bool
    knows_weight: bool
    knows_consistency: bool
    note: str


def limits_of(
    cells: Cells,
    *,
    is_known: Truths,
    place: str,
    needs_others_for_place: bool,
    weighed: Cells | None = None,
) -> Limits:
    """`weighed` are the words that count, where not all of them do. `place` names what tells a reader apart
    from others, such as "severity"."""
    group = groups_of_readers(cells.item, cells.reader, linked_items=is_known)
    num_groups = int(group.max()) + 1
    cells = cells if weighed is None else weighed
    num_readers = len(np.unique(cells.reader))
    shared = bool((np.bincount(cells.item)[cells.item] > 1).any()) or bool(is_known[cells.item].any())
    repeated = bool((cells.num_said > 1).any())
    alone = num_readers == 1 and not is_known[cells.item].any()
    notes = []
    if alone and needs_others_for_place:
        notes.append(f"One reader alone: {place} needs a second reader or known answers to be told.")
    if not shared and not repeated:
        notes.append(
            "No item has the word of two readers, a repeat or a known answer: how much a word weighs is"
            " assumed, not measured."
        )
    if num_groups > 1:
        notes.append(
            f"The readers fall into {num_groups} groups that share no item: between groups {place} is"
            " compared as if their items were alike."
        )
    if int((cells.counts.sum(axis=0) > 0).sum()) == 1:
        notes.append("Every word is the same: nothing tells the items apart, or one reader from another.")
    if not repeated:
        notes.append("No hidden repeat: what a reader would say again can't be told from lasting opinion.")
    return Limits(
        group=group,
        knows_place=not (alone and needs_others_for_place),
        knows_weight=shared or repeated,
        knows_consistency=repeated,
        note=" ".join(notes),
    )
