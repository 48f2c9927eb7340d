"""What is shown again against forgetting: films of the first site, and films on which there is nothing."""

from dataclasses import replace
from pathlib import Path

from inference.canary_films import NOTHING_TO_SAY
from inference.presets import PRESETS
from inference.qwen_vl import load_model_and_processor
from rl_feedback.small_model.evaluate_command import SHIPPED_MODEL
from rl_feedback.training.config import SftConfig
from rl_feedback.training.films import Films
from rl_feedback.training.replay import Replay
from rl_feedback.training.view import FilmView

PROCESSOR = load_model_and_processor(SHIPPED_MODEL).processor


def replayed(folder: Path, *, share: float, num_steps: int) -> list[str]:
    """The texts of all steps."""
    config = replace(SftConfig(), replay_per_step=8, replay_blank_share=share)
    films = Films(folder, FilmView.of(PRESETS["phantom"]))
    replay = Replay(PROCESSOR, config=config, films=films, kept=())
    texts = []
    for step in range(num_steps):
        for row in replay.batches(step, 1)[0]["labels"]:
            texts.append(PROCESSOR.tokenizer.decode(row[row != -100], skip_special_tokens=True).strip())
    return texts


def test_without_a_share_of_blank_films_every_replayed_film_shows_a_heart(tmp_path: Path) -> None:
    assert all("heart" in text for text in replayed(tmp_path, share=0.0, num_steps=2))


def test_of_blank_films_there_is_nothing_to_say_and_they_are_as_many_as_wished(tmp_path: Path) -> None:
    texts = replayed(tmp_path, share=0.25, num_steps=10)
    assert set(texts[:8]) != {NOTHING_TO_SAY}
    assert 0.1 < texts.count(NOTHING_TO_SAY) / len(texts) < 0.45
    assert set(replayed(tmp_path, share=1.0, num_steps=1)) == {NOTHING_TO_SAY}
