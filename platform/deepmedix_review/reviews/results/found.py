"""What a reader study set out to find: how good each thing was found, and what the votes went to."""

from collections.abc import Sequence

from deepmedix_review.reviews.models import Assignment
from deepmedix_review.reviews.results.columns import Chosen
from deepmedix_review.reviews.results.figures import Cell, Figure, Table, missing, rough_note, rounded
from deepmedix_review.reviews.results.intervals import edges_of, said_interval, unless_all_alike
from deepmedix_review.reviews.results.plots import Plot, interval_plot, stacked
from deepmedix_review.reviews.results.rated import MOST_MARKS, RatedCriterion
from deepmedix_review.reviews.results.readings import Readings, Said
from deepmedix_review.reviews.results.scales import Scaled, by_scale, ends_of, say_better
from deepmedix_review.reviews.results.versions import EVERY, Versions
from rl_feedback.agreement import Clustered, clustered_mean, clustered_share
from rl_feedback.counting import counted

RANDOM_SIDES = "Both outputs are one version's, dealt to the sides at random."


def found_figures(
    readings: Readings,
    said: Said,
    rated: Sequence[RatedCriterion],
    asked: Sequence[Scaled],
    versions: Versions | None,
) -> tuple[Figure, ...]:
    """`asked` are the scales among `rated`. Nothing here asks the database for what `said` has loaded."""
    first = readings.of(Assignment.Kind.FIRST)
    return (
        _means([one for one in asked if one.criterion.is_scale], versions),
        *(_shares(readings, first, said, one, versions) for one in rated if one.vote),
    )


def _means(scales: Sequence[Scaled], versions: Versions | None) -> Figure:
    key, title = "means", "Mean rating of each question"
    method = (
        "mean of all first ratings, its 95 % interval from the variance between cases (Cochran 1977) and "
        "Student's t, as the plan expects it, within the ends of the scale; it holds for these readers"
    )
    columns = ("question", "of", "mean", "low", "high", "half width", "scale", "better", "cases", "ratings")
    rows: list[tuple[RatedCriterion, str, Clustered]] = []
    for each in scales:
        one, points, case, of = each.criterion, each.points, each.case, each.version
        rows.append((one, EVERY, unless_all_alike(clustered_mean(points, case))))
        if versions is not None and of is not None:
            for place, name in enumerate(versions.names):
                if (of == place).any():
                    mean = clustered_mean(points[of == place], case[of == place])
                    rows.append((one, name, unless_all_alike(mean)))
    rows = [row for row in rows if row[2].value is not None]
    if not rows:
        note = "No scale has been rated yet." if scales else "This reader study asks no scale."
        return missing(key=key, title=title, method=method, note=note, columns=columns)
    cells: list[tuple[Cell, ...]] = [
        (
            one.name,
            of,
            rounded(found.value),
            *edges_of(found, scale=one.numbers),
            ends_of(one),
            one.better,
            found.num_clusters,
            found.num,
        )
        for one, of, found in rows
    ]
    lead, _, best = rows[0]
    whole = [found for _, of, found in rows if of == EVERY]
    return Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(cells)),
        method=method,
        n=f"{counted(sum(found.num for found in whole), 'rating')} of {counted(len(whole), 'question')}, "
        f"{counted(max(found.num_clusters for found in whole), 'case')}",
        value=f"{lead.name} {best.value:.2f}",
        interval=said_interval(best, scale=lead.numbers),
        note=_rough([found for _, _, found in rows]),
        plot=stacked(
            [
                (f"Points, {ends_of(alike[0][0])}{say_better(alike[0][0].better)}", _means_plot(alike))
                for alike in by_scale(rows, lambda row: (ends_of(row[0]), row[0].better))
            ],
            said="Mean ratings: "
            + ", ".join(
                f"{one.name}, {of}, {found.value:.2f} on {ends_of(one)}{say_better(one.better)}"
                for one, of, found in rows
            ),
        ),
    )


def _means_plot(rows: Sequence[tuple[RatedCriterion, str, Clustered]]) -> Plot:
    """Of questions on one scale."""
    numbers = rows[0][0].numbers
    return interval_plot(
        [
            (one.name if of == EVERY else f"{one.name}, {of}", found.value, found.interval)
            for one, of, found in rows
        ],
        low=min(numbers),
        high=max(numbers),
        marks=numbers if len(numbers) <= MOST_MARKS else (),
        groups=[of for _, of, _ in rows] if any(of != EVERY for _, of, _ in rows) else (),
        first=[of for _, of, _ in rows if of != EVERY],
        unit="points",
        said="",
    )


def _shares(
    readings: Readings, first: Chosen, said: Said, one: RatedCriterion, versions: Versions | None
) -> Figure:
    """Of the votes of one question: to which version they went, or to which side where both are one's."""
    key, title = f"votes-{one.vote}", f"Votes, {one.name.lower()}"
    what = "version" if versions else "side"
    method = (
        f"share of first votes by {what}, Wilson's 95 % interval (1927) at the effective number of votes, "
        "which is smaller where votes on one case are alike (Korn and Graubard 1998), as the plan expects it"
    )
    columns = ("vote", "share", "low", "high", "half width", "votes for it", "votes", "cases")
    ratings = one.first if versions else said.votes[one.vote].only(first)
    if not len(ratings.value):
        return missing(
            key=key, title=title, method=method, note="No vote has been signed yet.", columns=columns
        )
    names = one.labels if versions else ("A", "tie", "B", "both bad")
    case = readings.case[ratings.reading]
    found = [
        (name, clustered_share((ratings.value == value).astype(float), case))
        for value, name in zip(one.values, names, strict=True)
    ]
    cells: list[tuple[Cell, ...]] = [
        (
            name,
            rounded(share.value),
            *edges_of(share),
            int((ratings.value == value).sum()),
            share.num,
            share.num_clusters,
        )
        for value, (name, share) in zip(one.values, found, strict=True)
    ]
    # The later version's share, or output A's, unless another choice was made more often.
    lead = found[2] if versions else found[0]
    name, share = max((lead, *found), key=lambda one: one[1].value or 0.0)
    notes = (
        "" if versions else RANDOM_SIDES,
        _rough([share]),
    )
    return Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(cells)),
        method=method,
        n=f"{counted(share.num, 'vote')} on {counted(share.num_clusters, 'case')}",
        value=f"{name} {share.value:.2f}",
        interval=said_interval(share),
        note=" ".join(filter(None, notes)),
        plot=interval_plot(
            [(name, share.value, share.interval) for name, share in found],
            low=0,
            high=1,
            marks=(0.5,),
            unit="share",
            groups=names,
            first=(names[0], names[2]) if versions else (),
            said=f"{title}: " + ", ".join(f"{name} {share.value:.2f}" for name, share in found),
        ),
    )


def _rough(found: Sequence[Clustered]) -> str:
    return rough_note(min(each.num_clusters for each in found))
