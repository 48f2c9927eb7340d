"""How often readers made each choice, by version where two are shown: the share of regions that fit, of steps
with an error of some kind."""

from collections.abc import Iterator, Sequence

import numpy as np

from deepmedix_review.reviews.results.columns import Chosen, Keys
from deepmedix_review.reviews.results.figures import Figure
from deepmedix_review.reviews.results.rated import RatedCriterion
from deepmedix_review.reviews.results.readings import Ratings, Readings
from deepmedix_review.reviews.results.shares import Share, shares_figure
from deepmedix_review.reviews.results.versions import EVERY, Versions
from rl_feedback.agreement import clustered_share
from rl_feedback.counting import counted


def choice_figures(
    readings: Readings, rated: Sequence[RatedCriterion], versions: Versions | None
) -> tuple[Figure, ...]:
    """One for each question of choices that has answers; scales and votes have figures of their own."""
    steps = next((one.first for one in rated if one.key == "plausibility"), None)
    return tuple(
        _figure(readings, one, of, said, versions)
        for one in rated
        if not one.is_scale and not one.vote
        for said in (one.first,)
        for of in (steps if one.asked_if and steps is not None else said,)
        if len(of.value)
    )


def _figure(
    readings: Readings, one: RatedCriterion, of: Ratings, said: Ratings, versions: Versions | None
) -> Figure:
    shares = list(_shares(readings, one, of, said, versions))
    lead = next((each for each in shares if each.version), shares[0])
    whole = [each.share for each in shares if each.label == lead.label]
    of_all_steps = of is not said
    rated = counted(sum(each.num for each in whole), "rated step" if of_all_steps else "rating")
    return shares_figure(
        shares,
        key=f"choices-{one.key}",
        name=one.name,
        title=f"{one.name}: how often each choice",
        method=(
            "share of all steps that first readings rated: it is asked only of a step that has a flaw, and "
            "the others have none"
            if of_all_steps
            else f"share of the first ratings of each {one.item}"
        ),
        n=f"{rated}, {counted(max(each.num_clusters for each in whole), 'case')}",
        other_version=EVERY,
    )


def _shares(
    readings: Readings, one: RatedCriterion, of: Ratings, said: Ratings, versions: Versions | None
) -> Iterator[Share]:
    """By choice; within it every output, or each version's where two are shown and it is about one's."""
    case = readings.case[of.reading]
    groups: list[tuple[str, Chosen]] = [("", np.ones(len(of.value), dtype=np.bool_))]
    if versions is not None:
        version = versions.of(readings, of, one.item)
        by_version = [(name, version == place) for place, name in enumerate(versions.names)]
        groups = [group for group in by_version if group[1].any()] or groups
    for value, label in zip(one.values, one.labels, strict=True):
        if of is not said and value == one.values[0]:
            # Of what was not asked "no error" is not said by anybody; the errors' shares say it.
            continue
        is_value = said.value == value
        is_chosen = is_value if of is said else _among(of, said.only_rows(is_value))
        for name, chosen in groups:
            share = clustered_share(is_chosen[chosen].astype(float), case[chosen].astype(float))
            yield Share(label, share, int(is_chosen[chosen].sum()), version=name)


def _among(of: Ratings, chosen: Ratings) -> Chosen:
    """Which of these have the same reading and item as one that chose."""
    span = int(max(of.item.max(initial=0), chosen.item.max(initial=0))) + 1

    def keys(ratings: Ratings) -> Keys:
        return np.asarray(ratings.reading * span + ratings.item)

    return np.isin(keys(of), keys(chosen))
