"""Completions for tests, as if a model had said them."""

from collections.abc import Sequence
from typing import Any

import factory

from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.studies.models import Instance
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import InstanceFactory

Box = tuple[float, float, float, float]
QUERY = "Write the findings and the impression of this radiograph."
# As an engine keeps it: the question in the chat, and a place for each piece of the film.
CHAT = (
    f"<|im_start|>user\n<|vision_start|><|image_pad|><|image_pad|><|vision_end|>{QUERY}<|im_end|>\n"
    "<|im_start|>assistant\n"
)


class CompletionFactory(factory.django.DjangoModelFactory[Completion]):
    """A well-formed completion without steps; see `say` for one with steps."""

    class Meta:
        model = Completion

    instance = factory.SubFactory(InstanceFactory)
    study = factory.LazyAttribute(lambda completion: completion.instance.series.study)
    model_version = factory.SubFactory(ServingModelFactory)
    content_key = factory.Sequence(lambda n: f"{n:064x}")
    query = QUERY
    prompt = CHAT
    text = "<think> The heart size is normal </think> The answer is: \\boxed{no acute finding}"
    answer = "no acute finding"
    problems: Any = factory.List([])
    temperature = 0.7
    seed = factory.Sequence(lambda n: n)
    num_tokens = 40
    seconds = 0.5
    image_width = factory.LazyAttribute(lambda completion: completion.instance.columns)
    image_height = factory.LazyAttribute(lambda completion: completion.instance.rows)
    model_width = 112
    model_height = 112


def say(instance: Instance, *, steps: Sequence[tuple[str, Sequence[Box]]], **fields: Any) -> Completion:
    """A completion of this film with these steps and their boxes, in film pixels."""
    answer = fields.get("answer", CompletionFactory.answer)
    thoughts = " ".join(f"{text} {' '.join(f'[{box}]' for box in boxes)}" for text, boxes in steps)
    fields.setdefault("text", f"<think> {thoughts} </think> The answer is: \\boxed{{{answer}}}")
    completion = CompletionFactory.create(instance=instance, **fields)
    for position, (text, boxes) in enumerate(steps, start=1):
        step = ReasoningStep.objects.create(completion=completion, position=position, text=text)
        Region.objects.bulk_create(
            Region(
                step=step,
                position=number,
                x_min=box[0],
                y_min=box[1],
                x_max=box[2],
                y_max=box[3],
                model_box=list(box),
            )
            for number, box in enumerate(boxes, start=1)
        )
    return completion
