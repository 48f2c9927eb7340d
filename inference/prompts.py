"""What a model is asked: the question, and how it is told to reason before it answers.

A template is named by key and version; both are part of what makes two completions the same.
"""

from dataclasses import dataclass

from inference.phantom_truth import REPORT_QUERY

# The question the shipped model was trained with.
PHANTOM_QUERY = REPORT_QUERY

FINDINGS_QUERY = (
    "You are an experienced radiologist. Write the FINDINGS section of the report on this chest X-ray, "
    "systematically and objectively."
)

_REASON_IN_REGIONS = (
    "FIRST reason about the question as an inner monologue, then give the final answer. "
    "The reasoning MUST BE inside <think> </think> tags. While you reason, look first at the local regions "
    "of the image and give the coordinates of their bounding boxes as [x_min, y_min, x_max, y_max]. "
    "The final answer MUST BE put in \\boxed{}. "
    "An example is like: <think> reasoning process 1 with [x_min1, y_min1, x_max1, y_max1]; "
    "reasoning process 2 with [x_min2, y_min2, x_max2, y_max2] </think>. The answer is: \\boxed{answer}."
)


@dataclass(frozen=True)
class PromptTemplate:
    """`suffix` follows the query after an empty line; `reasons`:
    whether reasoning comes before the answer."""

    key: str
    version: int
    suffix: str
    reasons: bool
    default_query: str

    def render(self, query: str) -> str:
        """The text that stands after the image.

        >>> TEMPLATES["phantom"].render("Is the heart enlarged?")
        'Is the heart enlarged?'
        """
        return f"{query.strip()}\n\n{self.suffix}" if self.suffix else query.strip()


TEMPLATES: dict[str, PromptTemplate] = {
    template.key: template
    for template in (
        PromptTemplate("phantom", 1, "", reasons=True, default_query=PHANTOM_QUERY),
        PromptTemplate("deepmedix-r1", 1, _REASON_IN_REGIONS, reasons=True, default_query=FINDINGS_QUERY),
        PromptTemplate("deepmedix-r1-no-think", 1, "", reasons=False, default_query=FINDINGS_QUERY),
    )
}


def template(key: str) -> PromptTemplate:
    """Raises KeyError, with the keys that there are, for an unknown template."""
    if key not in TEMPLATES:
        raise KeyError(f"no prompt template {key!r}; there are {', '.join(sorted(TEMPLATES))}")
    return TEMPLATES[key]
