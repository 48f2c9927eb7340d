"""Who may judge: a model behind an engine, or judgements that were recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing

from inference.engines import Done, Engine, EngineError, Failed, GenerationRequest
from rl_feedback.evaluation.arena.asking import Comparison, JudgeFailed, Question, Said, Unanswered
from rl_feedback.evaluation.arena.recorded import RecordedAnswer


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
    """Answers what was recorded. Several answers to the same are those to the first question and to the
    further tries. Raises ValueError for answers that name a platform's battle alone; `called` is the file's
    name for people."""

    num_at_once = 1000

    def __init__(self, recorded: Iterable[RecordedAnswer], *, called: str) -> None:
        self._called = called
        self._texts: dict[tuple[str, str, str], list[str]] = {}
        for one in recorded:
            if not one.case or not one.second:
                raise ValueError(
                    f"{called}, line {one.line} names a battle of a platform, which is not known here. Name "
                    "case, first and second."
                )
            self._texts.setdefault((one.case, one.first, one.second), []).append(one.text)
        self._num_asked: dict[str, int] = {}

    def holds(self, asked: Comparison) -> bool:
        return (asked.case, asked.first, asked.second) in self._texts

    def answers(self, questions: Sequence[Question]) -> Iterator[Said | Unanswered]:
        for question in questions:
            asked = question.comparison
            if asked is None:
                yield Unanswered(question.key, f"{self._called} holds judgements of two reports alone.")
                continue
            if not self.holds(asked):
                yield Unanswered(
                    question.key,
                    f"{self._called} holds no judgement of {asked.first} before {asked.second} on "
                    f"{asked.case}.",
                )
                continue
            texts = self._texts[asked.case, asked.first, asked.second]
            number = self._num_asked.get(question.key, 0)
            self._num_asked[question.key] = number + 1
            yield Said(question.key, texts[min(number, len(texts) - 1)])
