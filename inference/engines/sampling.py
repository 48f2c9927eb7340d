"""Draws each next token, with a seed for every row of a batch, and ends a row when its time has come."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from transformers import LogitsProcessor, StoppingCriteria

from inference.engines.requests import EngineError, GenerationRequest


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
        if bool(torch.isnan(scores).any()):
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

    `tell` is called for each token and `ended` at the end, with the row's place and all its tokens, those it
    was given too.
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
                self.tell(place, input_ids[place])
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
