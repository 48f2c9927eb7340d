"""Runs rounds of SIMULATED ratings by the library alone: no database, no workers, no gate."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inference.phantoms import HELD_OUT_SEEDS, SITES, draw_phantom
from rl_feedback.phantom_figures import aggregate, score_phantom
from rl_feedback.readings import SignedReading
from rl_feedback.simulated_readers import PANEL, Kind
from rl_feedback.simulated_rounds.collecting import ROUND_SEEDS, collect_round, engine_of, say_of_films
from rl_feedback.simulated_rounds.figures import (
    SHOWN,
    LoopReport,
    Measured,
    Round,
    measured_of,
    perfect_preferred,
    preferred,
)
from rl_feedback.simulated_rounds.learning import learn, write_data
from rl_feedback.simulated_rounds.sharing import num_films_for
from rl_feedback.training.recipe import Recipe


@dataclass(frozen=True)
class Trial:
    """`num_held_out` films of each site are measured after each round. Of `drawn_per_reading` films, the one
    on which the model's samples differ most is read; `readers_per_film` read it."""

    kind: Kind
    num_readings: int
    num_rounds: int
    seed: int
    num_held_out: int
    recipe: Recipe
    site: str = "second"
    drawn_per_reading: int = 1
    readers_per_film: int = 1


def run_trial(trial: Trial, *, start: Path, folder: Path, tell: Callable[[str], None]) -> LoopReport:
    """Each round's model is the next one's parent, whatever it is worth: there is no gate here."""
    figures, said_first = measure(start, trial.num_held_out)
    rounds = [Round(0, "start", 0, 0.0, 0.0, True, "", figures)]
    model, readings, minutes = start, list[SignedReading](), 0.0
    data = folder / "data"
    for number in range(1, trial.num_rounds + 1):
        num_films = num_films_for(
            trial.num_readings, num_readers=len(PANEL), readers_per_film=trial.readers_per_film
        )
        num_drawn = num_films * trial.drawn_per_reading
        begin = ROUND_SEEDS.start + (trial.seed % 50) * 20_000 + (number - 1) * num_drawn
        collected = collect_round(
            model,
            data,
            site=trial.site,
            seeds=range(begin, begin + num_drawn),
            num_readings=trial.num_readings,
            readers_per_film=trial.readers_per_film,
            model_name=rounds[-1].model,
            kind=trial.kind,
            seed=trial.seed,
            tell=tell,
        )
        readings += collected.readings
        minutes += collected.minutes
        learned_from = write_data(data, readings)
        tell(f"Round {number}: {learned_from}")
        began = time.process_time()
        work = folder / f"round-{number}"
        abouts: list[Mapping[str, Any]] = []
        model = learn(trial.recipe, parent=model, data=data, folder=work, on_begin=abouts.append)
        shutil.rmtree(work / "checkpoints")
        training_minutes = (time.process_time() - began) / 60
        figures, said = measure(model, trial.num_held_out)
        rounds.append(
            Round(
                number=number,
                model=f"after round {number}",
                num_readings=len(readings),
                reading_minutes=minutes,
                training_minutes=training_minutes,
                promoted=True,
                gate="Not asked: without the platform each model is the next one's parent.",
                figures=figures,
                preferred=preferred(
                    site=trial.site,
                    seeds=held_out(trial.num_held_out),
                    before=said_first[trial.site],
                    after=said[trial.site],
                    seed=trial.seed,
                ),
                learned_from=learned_from,
                step_scorer=abouts[-1].get("step_scorer", {}).get("sentence", ""),
            )
        )
        tell(_line(rounds[-1]))
    return LoopReport(
        title=f"What {len(readings)} SIMULATED readings gained ({trial.kind})",
        seed=trial.seed,
        kind=trial.kind,
        site=trial.site,
        num_held_out=trial.num_held_out,
        rounds=tuple(rounds),
        recipe=trial.recipe.as_json(),
        load=os.getloadavg(),
        perfect_preferred=perfect_preferred(
            site=trial.site,
            seeds=held_out(trial.num_held_out),
            before=said_first[trial.site],
            seed=trial.seed,
        ),
    )


def held_out(number: int) -> Sequence[int]:
    return HELD_OUT_SEEDS[:number]


def measure(model: Path, num_films: int) -> tuple[dict[str, dict[str, Measured]], dict[str, list[str]]]:
    """Figures by site, and what the model said of each film, greedily."""
    engine, found, said = engine_of(model), {}, {}
    for site in sorted(SITES):
        films = [draw_phantom(seed=seed, site=site) for seed in held_out(num_films)]
        texts = say_of_films(engine, [(str(film.seed), film.to_uint8()) for film in films], temperature=0.0)
        said[site] = [texts[str(film.seed), 1] for film in films]
        scores = [score_phantom(text, film.truth) for text, film in zip(said[site], films, strict=True)]
        found[site] = measured_of({name: asdict(figure) for name, figure in aggregate(scores).items()})
    return found, said


def _line(one: Round) -> str:
    told = "; ".join(
        f"{site}: "
        + ", ".join(f"{name} {found.mean:.3f}" for name, found in figures.items() if name in SHOWN)
        for site, figures in one.figures.items()
    )
    share = f"; preferred {one.preferred.share:.2f}" if one.preferred else ""
    scorer = f"; step scorer: {one.step_scorer}" if one.step_scorer else ""
    return f"Round {one.number}: {told}{share}; {one.training_minutes:.1f} CPU-minutes of training{scorer}"
