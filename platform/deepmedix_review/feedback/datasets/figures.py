"""Draws what a frozen data set holds: weights, values and lengths, each with its table, n and method."""

from deepmedix_review.feedback.datasets.summary import NUM_BUCKETS, SIDES, Summary
from deepmedix_review.reviews.results.figures import Cell, Figure, Table, missing, rounded, wilson
from deepmedix_review.reviews.results.plots import interval_plot, share_plot
from rl_feedback.counting import counted

Interval = tuple[float, float] | None
FIFTHS = tuple(f"{n / NUM_BUCKETS:g}–{(n + 1) / NUM_BUCKETS:g}" for n in range(NUM_BUCKETS))


def holding_figures(summary: Summary) -> tuple[Figure, ...]:
    return (_weights(summary), _values(summary), _lengths(summary))


def _weights(summary: Summary) -> Figure:
    key, title = "weights", "How sure the pairs are"
    method = "weight 2 (P − ½), P that the chosen text is the better one; below 0.1 a pair is left out"
    rows = [row for row in summary.origins if row.number]
    if not rows:
        return missing(key=key, title=title, method=method, note="There is no pair.")
    cells: list[tuple[Cell, ...]] = [
        (row.origin, *row.by_side, *row.by_weight, rounded(row.mean_weight)) for row in rows
    ]
    total = sum(row.number for row in rows)
    mean = sum(row.mean_weight * row.number for row in rows) / total
    return Figure(
        key=key,
        title=title,
        table=Table(("origin", *SIDES, *(f"weight {name}" for name in FIFTHS), "mean weight"), tuple(cells)),
        method=method,
        n=counted(total, "pair"),
        value=f"mean weight {mean:.2f}",
        plot=share_plot(
            [(row.origin, row.by_weight) for row in rows],
            names=FIFTHS,
            said=f"{title}: " + ", ".join(f"{row.origin} {row.mean_weight:.2f}" for row in rows),
            is_ordered=True,
        ),
    )


def _values(summary: Summary) -> Figure:
    key, title = "values", "What outputs and steps deserve"
    method = "what typical readers would give on average, as a share of the scale; overall: answer and steps"
    rows = summary.criteria
    if not rows:
        return missing(key=key, title=title, method=method, note="There is no label.")
    columns = (
        *("criterion", *SIDES, *(f"value {name}" for name in FIFTHS)),
        *("mean", "mean variance", "readers a label", "effective readers a label"),
    )
    cells: list[tuple[Cell, ...]] = [
        (
            row.criterion,
            *row.by_side,
            *row.by_value,
            rounded(row.mean),
            rounded(row.mean_variance),
            rounded(row.mean_readers),
            rounded(row.mean_effective_readers),
        )
        for row in rows
    ]
    total = sum(row.number for row in rows)
    effective = sum(row.mean_effective_readers * row.number for row in rows) / total
    return Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(cells)),
        method=method,
        n=counted(total, "label"),
        value=f"{effective:.1f} effective readers a label",
        plot=share_plot(
            [(row.criterion, row.by_value) for row in rows],
            names=FIFTHS,
            said=f"{title}: " + ", ".join(f"{row.criterion} {row.mean:.2f}" for row in rows),
            is_ordered=True,
        ),
    )


def _lengths(summary: Summary) -> Figure:
    key, title = "lengths", "Is the longer text preferred"
    method = "share of pairs whose chosen text is the longer one, equal ones left out; Wilson interval"
    rows = [row for row in summary.origins if row.number]
    if not rows:
        return missing(key=key, title=title, method=method, note="There is no pair.")
    columns = (
        *("origin", "pairs", "chosen longer", "chosen shorter", "share longer", "low", "high"),
        *("characters chosen", "characters rejected", "regions chosen", "regions rejected"),
    )
    cells: list[tuple[Cell, ...]] = []
    shares: list[tuple[str, float | None, Interval]] = []
    for row in rows:
        decided = row.longer + row.shorter
        share = row.longer / decided if decided else None
        interval = wilson(row.longer, decided) if decided else None
        low, high = interval or (None, None)
        shares.append((row.origin, share, interval))
        lengths = (row.chosen_length, row.rejected_length, row.chosen_regions, row.rejected_regions)
        counts = (row.origin, row.number, row.longer, row.shorter)
        cells.append((*counts, *map(rounded, (share, low, high, *lengths))))
    longer, shorter = (sum(getattr(row, name) for row in rows) for name in ("longer", "shorter"))
    decided = longer + shorter
    low, high = wilson(longer, decided) if decided else (0.0, 0.0)
    return Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(cells)),
        method=method,
        n=f"{counted(decided, 'pair')} of different length",
        value=f"chosen longer in {longer / decided:.2f}" if decided else "",
        interval=f"95 % interval {low:.2f} to {high:.2f}" if decided else "",
        note="" if decided else "All chosen texts are as long as the rejected ones.",
        plot=interval_plot(
            [row for row in shares if row[1] is not None],
            low=0,
            high=1,
            marks=(0.5,),
            unit="share",
            said=f"{title}: longer {longer}, shorter {shorter}",
        ),
    )
