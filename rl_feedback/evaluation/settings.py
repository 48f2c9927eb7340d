"""How an evaluation is run: what is drawn, which measures, and what its result may hold."""

from __future__ import annotations

from dataclasses import dataclass

from rl_feedback.evaluation.reports.green import Ask


@dataclass(frozen=True)
class Settings:
    """How many draws of studies, how many exchanges of outputs, and from which seed; `ask` is the judge of
    GREEN. Without `with_texts` no report and no answer goes into the result; films only `with_films`."""

    num_draws: int = 1000
    num_shuffles: int = 10_000
    seed: int = 7
    with_weights: bool = True
    with_java: bool = False
    ask: Ask | None = None
    judge: str = ""
    with_texts: bool = True
    with_films: bool = False

    def __post_init__(self) -> None:
        if self.num_draws < 1 or self.num_shuffles < 1:
            raise ValueError("Draws and exchanges are at least 1 each; 1,000 and 10,000 are usual.")


USUAL = Settings()
