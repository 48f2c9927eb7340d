"""Draws each next token, with a seed for every row of a batch, and ends a row when its time has come."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from transformers import LogitsProcessor, StoppingCriteria

from inference.engines.requests import EngineError, GenerationRequest


class Suppressed(LogitsProcessor):
    """Gives tokens that must never be drawn no chance. transformers' own `suppress_tokens` looks every token
    of the vocabulary up again at each step: a twentieth of the time of a small model."""

    def __init__(self, tokens: Sequence[int], *, device: torch.device) -> None:
        self._tokens = torch.tensor(tokens, dtype=torch.long, device=device)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        return scores.index_fill_(1, self._tokens, -math.inf)


class SeededSampling(LogitsProcessor):
    """Adds Gumbel noise to scores / temperature: their largest is then a draw from the softmax
    (Gumbel 1954; Maddison, Tarlow, Minka 2014, arXiv 1411.0030).

    Each row draws from its own generator, so its text does not depend on its neighbours. For use with greedy
    decoding. Raises EngineError where the model's numbers are broken.
    """

    def __init__(self, requests: Sequence[GenerationRequest], *, device: torch.device) -> None:
        self._temperatures = [request.temperature for request in requests]
        self._generators = [
            torch.Generator(device=device).manual_seed(request.seed % 2**63) for request in requests
        ]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        # One that is no number makes the largest one none.
        if math.isnan(scores.max().item()):
            raise EngineError(
                "The model computes no numbers any more; its weights are broken. Serve another version."
            )
        if not any(self._temperatures):
            return scores
        drawn = scores.float().clone()
        for row, (temperature, generator) in enumerate(
            zip(self._temperatures, self._generators, strict=True)
        ):
            if temperature > 0:
                noise = torch.empty_like(drawn[row]).exponential_(generator=generator).clamp_min(1e-30).log()
                drawn[row] = drawn[row] / temperature - noise
        return drawn


@dataclass
class RowProgress:
    """How far one row came; `ended` is "" while it runs."""

    num_tokens: int = 0
    ended: str = ""
    seconds: float = 0.0


@dataclass
class RowWatch(StoppingCriteria):
    """Counts each row's tokens, tells them on, and ends rows: at their end sign ("stop"), their length
    ("length"), their deadline ("deadline"), or when nobody wants them any more ("stopped").

    `tell` is called for each token, with the row's place and the tokens of all rows, `ended` at the end, with
    the place and the row's own; both with those that were given too.
    """

    requests: Sequence[GenerationRequest]
    end_tokens: frozenset[int]
    is_wanted: Callable[[str], bool]
    tell: Callable[[int, torch.Tensor], None]
    ended: Callable[[int, torch.Tensor], None]
    rows: list[RowProgress] = field(init=False)
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.rows = [RowProgress() for _ in self.requests]
        self.started = time.monotonic()

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: object) -> torch.Tensor:
        seconds = time.monotonic() - self.started
        for place, token in enumerate(input_ids[:, -1].tolist()):
            row, request = self.rows[place], self.requests[place]
            if row.ended:
                continue
            row.seconds = seconds
            if token in self.end_tokens:
                row.ended = "stop"
            else:
                row.num_tokens += 1
                self.tell(place, input_ids)
                row.ended = self._ending(row, request)
            if row.ended:
                self.ended(place, input_ids[place])
        return torch.tensor([bool(row.ended) for row in self.rows], device=input_ids.device)

    def _ending(self, row: RowProgress, request: GenerationRequest) -> str:
        if not self.is_wanted(request.key):
            return "stopped"
        if row.num_tokens >= request.max_new_tokens:
            return "length"
        if request.deadline_seconds is not None and row.seconds >= request.deadline_seconds:
            return "deadline"
        return ""
