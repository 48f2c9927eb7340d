"""The figure of how often each of several choices was made, with an interval of each share."""

from collections.abc import Sequence
from dataclasses import dataclass

from deepmedix_review.reviews.results.figures import Cell, Figure, Table, rough_note, rounded
from deepmedix_review.reviews.results.intervals import edges_of, said_interval
from deepmedix_review.reviews.results.plots import interval_plot
from rl_feedback.agreement import Clustered

INTERVAL = "its 95 % interval from the variance between cases (Korn and Graubard 1998)"


@dataclass(frozen=True)
class Share:
    """Of one choice, chosen `num_times`; `version` is empty where it is not about one version's outputs."""

    label: str
    share: Clustered
    num_times: int
    version: str = ""

    @property
    def name(self) -> str:
        return f"{self.label}, {self.version}" if self.version else self.label


def columns_of(*, by_version: bool) -> tuple[str, ...]:
    of = ("outputs of",) if by_version else ()
    return ("choice", *of, "share", "low", "high", "half width", "times", "of", "cases")


def shares_figure(
    shares: Sequence[Share],
    *,
    key: str,
    name: str,
    title: str,
    method: str,
    n: str,
    other_version: str | None = None,
) -> Figure:
    """`name` is the question's. With `other_version` the table has a column of versions, which says so of a
    share that is about none."""
    lead = next((one for one in shares if one.version), shares[0])
    cells: list[tuple[Cell, ...]] = [
        (
            one.label,
            *(() if other_version is None else (one.version or other_version,)),
            rounded(one.share.value),
            *edges_of(one.share),
            one.num_times,
            one.share.num,
            one.share.num_clusters,
        )
        for one in shares
    ]
    return Figure(
        key=key,
        title=title,
        table=Table(columns_of(by_version=other_version is not None), tuple(cells)),
        method=f"{method}; {INTERVAL}",
        n=n,
        value=f"{lead.version} {lead.label} {lead.share.value:.2f}".lstrip(),
        interval=said_interval(lead.share),
        note=rough_note(min(one.share.num_clusters for one in shares)),
        plot=interval_plot(
            [(one.name, one.share.value, one.share.interval) for one in shares],
            low=0,
            high=1,
            unit="share",
            groups=[one.version for one in shares] if any(one.version for one in shares) else (),
            first=[one.version for one in shares if one.version],
            said=f"{name}: " + ", ".join(f"{one.name} {one.share.value:.2f}" for one in shares),
        ),
    )
