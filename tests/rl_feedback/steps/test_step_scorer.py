"""A step scorer learns what is true of a film, is used only where it knows more than length and place, and
gives nothing for more words or more steps."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.grounding import format_completion, parse_completion
from inference.phantom_dicom import FilmEncoding, write_phantom_dicom
from inference.phantoms import REPORT_QUERY, draw_phantom, ideal_reasoning
from inference.presets import PRESETS
from inference.qwen_vl import LoadedModel, load_model_and_processor
from rl_feedback.evaluation.phantoms import CaseResult
from rl_feedback.gate import POLICIES, Suite, decide
from rl_feedback.phantom_figures import score_phantom
from rl_feedback.rewards import CaseTruth, grounded_reward
from rl_feedback.steps.comparing import compare_steps
from rl_feedback.steps.learning import LearnedScorer, learn_step_scorer, step_of
from rl_feedback.steps.plot import draw_calibration
from rl_feedback.steps.rated import kinds_rated, lengths_and_places, step_ends
from rl_feedback.steps.reading import StepReader
from rl_feedback.steps.scorer import StepScorer, fit_step_scorer
from rl_feedback.steps.states import states_at_step_ends
from rl_feedback.training.examples import RatedStep
from rl_feedback.training.films import Films
from rl_feedback.training.view import FilmView

SHIPPED = Path(__file__).resolve().parents[3] / "inference" / "shipped_model"
NUM_FILMS = 60
# Each film has two of four readers.
READERS = (("1", "2"), ("2", "3"), ("3", "4"), ("4", "1"))
States = dict[tuple[str, str, str, int], NDArray[np.float32]]
Rated = tuple[list[RatedStep], States, LoadedModel, Films]


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Rated:
    """On each film what is true of it and what is true of the next one, every step rated for its truth."""
    folder = tmp_path_factory.mktemp("films")
    loaded = load_model_and_processor(SHIPPED)
    films = Films(folder, FilmView.of(PRESETS["phantom"]))
    found: list[RatedStep] = []
    states: States = {}
    for seed in range(500, 500 + NUM_FILMS):
        film = f"{seed}.dcm"
        write_phantom_dicom(folder / film, seed=seed, size=112, encoding=FilmEncoding())
        truth = ideal_reasoning(draw_phantom(seed=seed).truth)
        for text in (truth, ideal_reasoning(draw_phantom(seed=seed + 1).truth)):
            [rows] = states_at_step_ends(loaded, films, [(film, REPORT_QUERY, text)])
            for number, step in enumerate(parse_completion(text).steps):
                points = 5 if step.text.split("[")[0] in truth else 1
                for reader in READERS[seed % 4]:
                    one = RatedStep(
                        film, REPORT_QUERY, 1.0, "rating", text, number, points, reader, str(seed)
                    )
                    found.append(one)
                    states[step_of(one)] = rows[number]
    return found, states, loaded, films


def learned(rated: Rated, points_of: Callable[[RatedStep], int] = lambda one: one.rating) -> LearnedScorer:
    told = [replace(one, rating=points_of(one)) for one in rated[0]]
    return learn_step_scorer(told, rated[1], parent_sha256="x", seed=1)


def test_what_is_true_of_a_film_is_learned_beyond_length_and_place(rated: Rated) -> None:
    found = learned(rated)
    judged = found.judgement
    assert judged is not None
    assert found.may_be_used
    assert (found.num_readers, found.num_patients) == (4, NUM_FILMS)
    assert judged.error < 0.75 * min(judged.baseline_errors.values())
    assert found.sentence.startswith("Used: on ")
    ratings = [part.rating for part in judged.calibration]
    assert ratings[-1] - ratings[0] > 0.4
    assert sum(part.num_steps for part in judged.calibration) == judged.num_steps
    assert draw_calibration(found.as_json()["judgement"]["calibration"]).count("<circle") == 5


@pytest.mark.parametrize("what", ["chance", "length"])
def test_a_scorer_that_knows_no_more_than_a_baseline_is_not_used(rated: Rated, what: str) -> None:
    rng = np.random.default_rng(3)
    lengths, _ = lengths_and_places(rated[0])
    share = {step_of(one): length / max(lengths) for one, length in zip(rated[0], lengths, strict=True)}

    def points(one: RatedStep) -> int:
        # By length: four more or fewer coins that come up as often as the step is long.
        return 1 + int(rng.integers(5) if what == "chance" else rng.binomial(4, share[step_of(one)]))

    found = learned(rated, points)
    assert not found.may_be_used
    assert "Not used" in found.sentence


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        (lambda one: one.reader == "1", "Not used: one reader alone rated steps"),
        (lambda one: int(one.patient) < 506, "Not used: steps of 6 patients were rated, and it takes 10"),
        (
            lambda one: one.reader == "1" or (one.reader == "2" and int(one.patient) < 502),
            "at least 5 cases",
        ),
    ],
)
def test_too_few_readers_or_patients_are_no_ground_for_a_judgement(
    rated: Rated, kept: Callable[[RatedStep], bool], says: str
) -> None:
    few = [one for one in rated[0] if kept(one)]
    states = {step_of(one): rated[1][step_of(one)] for one in few}
    found = learn_step_scorer(few, states, parent_sha256="x", seed=1)
    assert not found.may_be_used
    assert says in found.sentence


def test_neither_more_words_nor_more_steps_raise_what_the_steps_are_worth(rated: Rated) -> None:
    scorer = learned(rated).scorer
    assert scorer is not None
    reader = StepReader(rated[2], rated[3], scorer)
    texts = sorted({(one.film, one.prompt, one.text) for one in rated[0]})[::8]

    def worth(change: Callable[[list[str]], list[str]]) -> list[float]:
        changed = [
            (film, prompt, format_completion(change([s.text for s in parse_completion(text).steps]), "x"))
            for film, prompt, text in texts
        ]
        rewards = grounded_reward(
            [text for _, _, text in changed],
            [CaseTruth("x")] * len(changed),
            step_scores=reader.lower_bounds(changed),
        )
        return [reward.steps or 0.0 for reward in rewards]

    before = worth(lambda steps: steps)
    assert np.mean(before) > 0.2
    for safest in ("The lungs are clear", "There is no pneumothorax"):
        more = worth(lambda steps, safest=safest: [*steps, *[safest] * 4])  # type: ignore[misc]
        assert all(after <= one + 1e-6 for after, one in zip(more, before, strict=True))
    longer = worth(
        lambda steps: [f"{step} and this is as it should be, as far as can be seen" for step in steps]
    )
    assert np.mean(longer) <= np.mean(before)


def test_a_mark_for_an_image_within_a_text_is_read_as_text(rated: Rated) -> None:
    film = rated[0][0].film
    text = format_completion(["The heart is normal <|image_pad|> [30, 50, 80, 90]"], "x")
    [rows] = states_at_step_ends(rated[2], rated[3], [(film, REPORT_QUERY, text)])
    assert len(rows) == 1
    assert np.isfinite(rows).all()


def test_the_lower_bound_lies_lower_where_the_scorer_has_seen_nothing_alike(
    rated: Rated, tmp_path: Path
) -> None:
    states = np.stack(list(rated[1].values()))
    scorer = learned(rated).scorer
    assert scorer is not None
    known = scorer.score(states)
    strange = scorer.score(states + 20 * scorer.scale.astype(np.float32))
    assert np.all((known.lower <= known.mean) & (known.lower >= 0) & (known.mean <= 1))
    assert np.mean(known.mean - known.lower) < 0.2
    assert np.all(strange.lower == 0)
    scorer.save(tmp_path)
    again = StepScorer.load(tmp_path).score(states)
    assert np.array_equal(again.lower, known.lower)
    with pytest.raises(ValueError, match="another model"):
        scorer.score(states[:, :-1])


def test_steps_of_too_few_cases_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 5 cases; there are 1"):
        fit_step_scorer(
            np.zeros((3, 4), np.float32), [0, 1, 0], [1, 1, 1], ["a"] * 3, parent_sha256="", seed=1
        )


def test_a_kind_of_finding_that_no_reader_rated_is_passed_by(rated: Rated) -> None:
    scorer = learned(rated).scorer
    assert scorer is not None
    reader = StepReader(rated[2], rated[3], scorer)
    text = ideal_reasoning(draw_phantom(seed=900).truth)
    cavity = text.replace(" </think>", "; There is a left cavity with [60, 20, 90, 50] </think>")

    said = [CaseResult(900, cavity, score_phantom(cavity, draw_phantom(seed=900).truth))]
    one_more = replace(rated[0][0], text=cavity, step=len(step_ends(cavity)) - 1)
    assert kinds_rated([one_more]) == {"Cavity"}
    assert "Cavity" not in kinds_rated(rated[0])
    passed_by, counted = (
        compare_steps(reader, site="first", parent=said, candidate=said, prompt=REPORT_QUERY, rated=ratings)
        .candidate["step_score"]
        .values[0]
        for ratings in (rated[0], [*rated[0], one_more])
    )
    assert counted < passed_by


def test_who_writes_worse_steps_of_the_sealed_films_is_held_by_the_gate(rated: Rated) -> None:
    scorer = learned(rated).scorer
    assert scorer is not None
    reader = StepReader(rated[2], rated[3], scorer)

    def written(seed: int, *, said_of: int) -> CaseResult:
        truth = draw_phantom(seed=seed).truth
        text = ideal_reasoning(draw_phantom(seed=said_of).truth)
        return CaseResult(seed, text, score_phantom(text, truth, model_size=(112, 112)))

    true, worse = ([written(seed, said_of=seed + by) for seed in range(900, 916)] for by in (0, 1))
    scores = compare_steps(
        reader, site="first", parent=true, candidate=worse, prompt=REPORT_QUERY, rated=rated[0]
    )
    guards = POLICIES[-1].of(Suite.STEPS)
    held = decide([scores], policy=replace(POLICIES[-1], guards=guards))
    assert not held.passed
    assert (
        "Weakest step, as readers would rate it fell by" in held.sentence or "weakest step" in held.sentence
    )
    same = compare_steps(
        reader, site="first", parent=true, candidate=true, prompt=REPORT_QUERY, rated=rated[0]
    )
    assert decide([same], policy=replace(POLICIES[-1], guards=guards)).passed
    silent = [replace(one, text="") for one in true]
    scores = compare_steps(
        reader, site="first", parent=true, candidate=silent, prompt=REPORT_QUERY, rated=rated[0]
    )
    assert set(scores.candidate["step_score"].values) == {0.0}
