"""The recipes that the page of a data set offers."""

from dataclasses import dataclass

from rl_feedback.training.recipe import DEFAULT_RECIPE, Recipe


@dataclass(frozen=True)
class OfferedRecipe:
    key: str
    label: str
    says: str
    recipe: Recipe


OFFERED = (
    OfferedRecipe(
        "recommended",
        "Corrections, then preferences",
        "First the texts that readers corrected or let stand, then which of two texts they prefer, at a low "
        "learning rate.",
        DEFAULT_RECIPE,
    ),
    OfferedRecipe(
        "corrections",
        "Corrections",
        "Texts to write as they stand: those that readers rewrote or whose regions they moved, and those "
        "that they let stand.",
        Recipe.of("corrections"),
    ),
    OfferedRecipe("dpo", "Preferences", "Which of two texts readers prefer (DPO).", Recipe.of("dpo")),
    OfferedRecipe(
        "kto", "Single judgements", "Which texts readers found good and which bad (KTO).", Recipe.of("kto")
    ),
    OfferedRecipe(
        "grpo",
        "Rewarded attempts",
        "The model tries; what is right and well placed is rewarded (GRPO).",
        Recipe.of("grpo"),
    ),
    OfferedRecipe(
        "instruction",
        "Instruction fine-tuning",
        "Answers to questions: bare answers that readers let stand, without reasoning.",
        Recipe.of("instruction"),
    ),
    OfferedRecipe(
        "cold-start",
        "Cold start",
        "Reasoning in steps that cite regions: what readers rewrote or whose regions they moved. Where that "
        "is little, a model that learned from drawn films gets ideal reasoning on more of them.",
        Recipe.of("cold-start"),
    ),
    OfferedRecipe(
        "three-stages",
        "DeepMedix-R1's three stages",
        "Instruction fine-tuning, the cold start, then reinforcement learning by the expert reward.",
        Recipe.of("instruction", "cold-start", "grpo"),
    ),
)
