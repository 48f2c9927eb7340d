"""How much a judge may be asked: requests a minute, and requests, tokens and money in all."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_MINUTE = 60.0
# A token is rarely shorter, so a text is rarely dearer than estimated.
_CHARACTERS_PER_TOKEN = 3


class LimitReached(Exception):
    """The next request would pass a limit; the message says which one, and what is kept."""


@dataclass(frozen=True)
class Spent:
    num_requests: int = 0
    num_prompt_tokens: int = 0
    num_tokens: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.num_requests + other.num_requests,
            self.num_prompt_tokens + other.num_prompt_tokens,
            self.num_tokens + other.num_tokens,
        )


@dataclass(frozen=True, kw_only=True)
class Limits:
    """None: no limit. Prices are of a million tokens, in the currency in which the cost is told."""

    requests_per_minute: int | None = None
    most_requests: int | None = None
    most_tokens: int | None = None
    most_cost: float | None = None
    price_of_prompt: float = 0.0
    price_of_answer: float = 0.0

    def __post_init__(self) -> None:
        for name in ("requests_per_minute", "most_requests", "most_tokens"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is at least 1, or left out for no limit.")
        if min(self.price_of_prompt, self.price_of_answer) < 0 or (self.most_cost or 0) < 0:
            raise ValueError("Prices and the most that may be spent are 0 or more.")
        if self.most_cost is not None and not (self.price_of_prompt or self.price_of_answer):
            raise ValueError("A limit of cost needs the prices of a million tokens, of prompt and answer.")

    def cost_of(self, spent: Spent) -> float:
        prompts, answers = spent.num_prompt_tokens, spent.num_tokens
        return (prompts * self.price_of_prompt + answers * self.price_of_answer) / 1e6


def expected(prompt: str, *, max_new_tokens: int) -> Spent:
    """What a request costs at most, as far as its text tells."""
    return Spent(1, len(prompt) // _CHARACTERS_PER_TOKEN + 1, max_new_tokens)


def require_within(limits: Limits, spent: Spent) -> None:
    """Raises LimitReached where so much is more than allowed."""
    reached = ""
    if limits.most_requests is not None and spent.num_requests > limits.most_requests:
        reached = f"{limits.most_requests:,} requests"
    elif limits.most_tokens is not None and spent.num_prompt_tokens + spent.num_tokens > limits.most_tokens:
        reached = f"{limits.most_tokens:,} tokens"
    elif limits.most_cost is not None and limits.cost_of(spent) > limits.most_cost:
        reached = f"a cost of {limits.most_cost:g}"
    if reached:
        raise LimitReached(
            f"The judge may be asked no more: the next request could pass {reached}. What is judged is kept; "
            "raise the limit and let the run go on."
        )


@dataclass
class Pace:
    """At most so many requests in any 60 seconds; one for all that is asked of a judge. `sent_before`: how
    many seconds ago each was sent that was sent before, in any order. `wait` and `clock` are time's own
    unless a test says."""

    requests_per_minute: int | None
    sent_before: Sequence[float] = ()
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], object] = time.sleep

    def __post_init__(self) -> None:
        now = self.clock()
        self._sent: deque[float] = deque(now - ago for ago in sorted(self.sent_before, reverse=True))

    def allowed(self, wanted: int) -> int:
        """How many of so many requests may be sent at once, 1 or more, after waiting where none may."""
        if self.requests_per_minute is None:
            return wanted
        while True:
            now = self.clock()
            while self._sent and now - self._sent[0] >= _MINUTE:
                self._sent.popleft()
            free = self.requests_per_minute - len(self._sent)
            if free > 0:
                many = min(wanted, free)
                self._sent.extend([now] * many)
                return many
            # At least so long that rounding can't leave the clock where it is.
            self.wait(max(1e-3, _MINUTE - (now - self._sent[0])))


def num_within(prompts: Sequence[str], *, max_new_tokens: int, limits: Limits, spent: Spent) -> int:
    """How many of these questions, from the first on, no limit forbids. Raises LimitReached where that is
    none of them."""
    for number, prompt in enumerate(prompts):
        spent += expected(prompt, max_new_tokens=max_new_tokens)
        try:
            require_within(limits, spent)
        except LimitReached:
            if not number:
                raise
            return number
    return len(prompts)
