"""What a run has asked of its judge so far, and what that cost."""

from dataclasses import dataclass

from django.db.models import Sum

from deepmedix_review.evaluation.models import ArenaRun

NOT_KNOWN = "not known"


@dataclass(frozen=True)
class ShownSpending:
    """In words. Answers that were known from other runs cost nothing."""

    num_requests: int
    prompt_tokens: str
    answer_tokens: str
    cost: str


def spending_of(run: ArenaRun) -> ShownSpending:
    """In one query."""
    told = run.judgements.aggregate(
        requests=Sum("num_requests", default=0),
        prompt=Sum("num_prompt_tokens", default=0),
        answer=Sum("num_tokens", default=0),
    )
    # A server that tells no usage leaves the prompt's tokens at 0, which no question has.
    is_told = told["prompt"] > 0 or not told["requests"]
    cost = cost_of(run, num_prompt_tokens=told["prompt"], num_tokens=told["answer"]) if is_told else None
    return ShownSpending(
        num_requests=told["requests"],
        prompt_tokens=f"{told['prompt']:,}" if is_told else NOT_KNOWN,
        answer_tokens=f"{told['answer']:,}",
        cost=NOT_KNOWN if cost is None else f"{cost:.4f}",
    )


def cost_of(run: ArenaRun, *, num_prompt_tokens: int, num_tokens: int) -> float | None:
    """In the currency of the run's prices; None where it was given none."""
    # With it come statistics, which few requests need.
    from rl_feedback.evaluation.arena.limits import Limits, Spent

    limits = Limits(**run.limits)
    if not (limits.price_of_prompt or limits.price_of_answer):
        return None
    return limits.cost_of(Spent(num_prompt_tokens=num_prompt_tokens, num_tokens=num_tokens))
