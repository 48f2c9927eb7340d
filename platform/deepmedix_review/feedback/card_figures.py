"""The figures that a model's card gives of it, laid out as a table: one row a figure, one column a site."""

from dataclasses import dataclass

from deepmedix_review.registry.models import ModelVersion
from rl_feedback.phantom_figures import LABELS


@dataclass(frozen=True)
class CardFigures:
    """`columns` name the site and the number of films; each row has one cell for each column."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def card_figures(version: ModelVersion) -> CardFigures | None:
    """None where the card has none; whatever in it is not a figure is left out."""
    sites = version.card.get("sites")
    if not isinstance(sites, dict) or not sites:
        return None
    measured = {str(name): site for name, site in sites.items() if isinstance(site, dict)}
    rows = tuple(
        (label, tuple(_cell(site.get("figures", {}).get(name)) for site in measured.values()))
        for name, label in LABELS.items()
    )
    return CardFigures(
        columns=tuple(f"{name} site, {site.get('n', '?')} films" for name, site in measured.items()),
        rows=rows,
    )


def _cell(figure: object) -> str:
    if not isinstance(figure, dict):
        return "not measured"
    mean, low, high = (figure.get(name) for name in ("mean", "low", "high"))
    if not all(isinstance(number, int | float) for number in (mean, low, high)):
        return "not measured"
    return f"{mean:.4g} ({low:.4g} to {high:.4g})"
