"""What a model is asked: the question, and how it is told to reason before it answers.

A template is named by key and version; both are part of what makes two completions the same.
"""

from dataclasses import dataclass

from inference.dialects import Dialect
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

# The keys that Qwen's own cookbooks ask for (github QwenLM/Qwen3-VL, cookbooks/2d_grounding.ipynb); that the
# answer follows in \boxed{} is ours, so that it can be told from the list.
_POINT_IN_JSON = (
    'First list every finding that you can see as JSON: [{"bbox_2d": [x_min, y_min, x_max, y_max], "label": '
    '"finding"}, ...]; write [] if there is none. Then give the final answer in \\boxed{}.'
)

# As people who use MedGemma 1.5 ask it; Google's own wording was not found, so not verified.
_POINT_IN_JSON_Y_FIRST = (
    "First list every finding that you can see as JSON, with bounding box coordinates as [y0, x0, y1, x1] "
    "where (y0, x0) is top-left and (y1, x1) is bottom-right, normalized to range [0, 1000]: "
    '[{"box_2d": [y0, x0, y1, x1], "label": "finding"}, ...]; write [] if there is none. '
    "Then give the final answer in \\boxed{}."
)

# microsoft/maira-2, processing_maira2.py, grounded reporting of one film of which nothing else is known.
_MAIRA_2_QUERY = (
    "Provide a structured description of the findings in the radiology study in comparison to the prior "
    "frontal image. Each finding should be described as a self-contained plain-text sentence. If the finding "
    "is groundable, locate the finding in the current frontal chest X-ray image, with bounding boxes "
    "indicating all locations where it can be seen in the current frontal image. Otherwise, generate just "
    "the ungrounded finding without bounding boxes. INDICATION: N/A TECHNIQUE: N/A COMPARISON: N/A"
)


@dataclass(frozen=True)
class PromptTemplate:
    """`suffix` follows the query after `joint`; `reasons`: whether reasoning comes before the answer;
    `dialect`: how a model that is asked so writes (`inference.grounding.parse_completion`)."""

    key: str
    version: int
    suffix: str
    reasons: bool
    default_query: str
    dialect: Dialect = Dialect.DEEPMEDIX
    joint: str = "\n\n"

    def render(self, query: str) -> str:
        """The text that stands after the image.

        >>> TEMPLATES["phantom"].render("Is the heart enlarged?")
        'Is the heart enlarged?'
        """
        return f"{query.strip()}{self.joint}{self.suffix}" if self.suffix else query.strip()


TEMPLATES: dict[str, PromptTemplate] = {
    template.key: template
    for template in (
        PromptTemplate("phantom", 1, "", reasons=True, default_query=PHANTOM_QUERY),
        PromptTemplate("deepmedix-r1", 1, _REASON_IN_REGIONS, reasons=True, default_query=FINDINGS_QUERY),
        PromptTemplate("deepmedix-r1-no-think", 1, "", reasons=False, default_query=FINDINGS_QUERY),
        # The comparison that DeepMedix-R1's authors drew: the base model, told to reason as it does.
        PromptTemplate("qwen-vl-think", 1, _REASON_IN_REGIONS, reasons=True, default_query=FINDINGS_QUERY),
        PromptTemplate(
            "json-boxes",
            1,
            _POINT_IN_JSON,
            reasons=False,
            default_query=FINDINGS_QUERY,
            dialect=Dialect.JSON_BOXES,
        ),
        PromptTemplate(
            "json-boxes-y-first",
            1,
            _POINT_IN_JSON_Y_FIRST,
            reasons=False,
            default_query=FINDINGS_QUERY,
            dialect=Dialect.JSON_BOXES,
        ),
        PromptTemplate("prose", 1, "", reasons=False, default_query=FINDINGS_QUERY, dialect=Dialect.PROSE),
        # github YBZh/CheXOne, README, reasoning mode; its instruct mode is the query alone.
        PromptTemplate(
            "chexone",
            1,
            "Please reason step by step, and put your final answer within \\boxed{}.",
            reasons=True,
            default_query="Write an example findings section for the CXR.",
            dialect=Dialect.MARKED,
            joint=" ",
        ),
        # github Stanford-AIMI/CheXagent, model_chexagent/chexagent.py: findings_generation; to point, ask
        # "Please locate the following phrase: …" (phrase_grounding there).
        PromptTemplate(
            "chexagent",
            1,
            "",
            reasons=False,
            default_query='Given the indication: "", write a structured findings section for the CXR.',
            dialect=Dialect.MARKED,
        ),
        PromptTemplate(
            "maira-2", 1, "", reasons=False, default_query=_MAIRA_2_QUERY, dialect=Dialect.MAIRA_2
        ),
        # Its published example asks this (github microsoft/LLaVA-Rad, README, Inference).
        PromptTemplate(
            "llava-rad",
            1,
            "",
            reasons=False,
            default_query="Describe the findings of the chest x-ray.",
            dialect=Dialect.PROSE,
        ),
    )
}


def template(key: str) -> PromptTemplate:
    """Raises KeyError, with the keys that there are, for an unknown template."""
    if key not in TEMPLATES:
        raise KeyError(f"no prompt template {key!r}; there are {', '.join(sorted(TEMPLATES))}")
    return TEMPLATES[key]
