"""Who may judge: a model behind an engine, or judgements that were recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from inference.engines import Done, Engine, EngineError, Failed, GenerationRequest
from rl_feedback.evaluation.arena.judging import JudgeFailed, Question, Said, Unanswered

_LONGEST_LINE = 1_000_000


class EngineJudge:
    """Asks a language model, by its text alone: another server's by the OpenAI chat protocol, or a folder's
    by transformers (`inference.engines.load_engine`). `check` is called at every token, so that others may
    end the work by raising."""

    def __init__(
        self,
        engine: Engine,
        *,
        num_at_once: int = 16,
        deadline_seconds: float | None = None,
        check: Callable[[], object] = lambda: None,
    ) -> None:
        self.num_at_once = num_at_once
        self._engine, self._deadline_seconds, self._check = engine, deadline_seconds, check

    def answers(self, questions: Sequence[Question]) -> Iterator[Said | Unanswered]:
        requests = [
            GenerationRequest(
                key=question.key,
                film=None,
                prompt=question.prompt,
                temperature=question.temperature,
                seed=question.seed,
                max_new_tokens=question.max_new_tokens,
                deadline_seconds=self._deadline_seconds,
            )
            for question in questions
        ]
        try:
            with closing(self._engine.generate(requests)) as events:
                for event in events:
                    self._check()
                    if isinstance(event, Failed):
                        yield Unanswered(event.key, event.reason)
                    elif isinstance(event, Done):
                        yield Said(
                            key=event.key,
                            text=event.text,
                            is_whole=event.ended == "stop",
                            num_prompt_tokens=event.num_prompt_tokens,
                            num_tokens=event.num_tokens,
                        )
        except EngineError as error:
            raise JudgeFailed(str(error)) from error


class RecordedJudge:
    """Answers from a file, one JSON object a line: `{"case": …, "first": …, "second": …, "text": …}`, with
    the models in the order in which the judge saw their reports, and what it wrote; other names are passed
    over. Several lines of the same are its answers to the first question and to the further tries."""

    num_at_once = 1000

    def __init__(self, path: Path, *, called: str = "") -> None:
        self._called = called or path.name
        self._texts: dict[tuple[str, str, str], list[str]] = {}
        for told in _objects(path, self._called):
            self._texts.setdefault((told["case"], told["first"], told["second"]), []).append(told["text"])
        if not self._texts:
            raise ValueError(f"{self._called} holds no judgement. Write one JSON object a line.")
        self._num_asked: dict[str, int] = {}

    def answers(self, questions: Sequence[Question]) -> Iterator[Said | Unanswered]:
        for question in questions:
            asked = question.comparison
            texts = self._texts.get((asked.case, asked.first, asked.second))
            if texts is None:
                yield Unanswered(
                    question.key,
                    f"{self._called} holds no judgement of {asked.first} before {asked.second} on "
                    f"{asked.case}.",
                )
                continue
            number = self._num_asked.get(question.key, 0)
            self._num_asked[question.key] = number + 1
            yield Said(question.key, texts[min(number, len(texts) - 1)])


def _objects(path: Path, called: str) -> Iterator[dict[str, Any]]:
    """Raises ValueError, naming the line and the way out."""
    with path.open(encoding="utf-8") as lines:
        for number in range(1, 2**62):
            place = f"{called}, line {number}"
            try:
                line = lines.readline(_LONGEST_LINE + 1)
            except UnicodeDecodeError:
                raise ValueError(f"{called} is no text in UTF-8. Write it as that.") from None
            if not line:
                return
            if len(line) > _LONGEST_LINE:
                raise ValueError(f"{place} has over {_LONGEST_LINE:,} characters. Write one object a line.")
            if not line.strip():
                continue
            try:
                told = json.loads(line)
            except (ValueError, RecursionError):
                raise ValueError(f"{place} is no JSON. Write one object a line.") from None
            names = ("case", "first", "second", "text")
            if not isinstance(told, dict) or not all(isinstance(told.get(name), str) for name in names):
                raise ValueError(
                    f'{place} is no judgement. Write {{"case": …, "first": …, "second": …, "text": …}}.'
                )
            yield told
