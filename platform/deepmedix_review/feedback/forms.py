"""What a researcher chooses for a training run; the rules are the learning library's own."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms

from deepmedix_review.common.forms import FormInPlace
from deepmedix_review.feedback.examples import LEARNS_FROM, Examples, without_drawn
from deepmedix_review.feedback.offered_recipes import OFFERED, OfferedRecipe
from deepmedix_review.feedback.runs.engine_form import EngineForm
from deepmedix_review.feedback.runs.engines import has_cluster
from deepmedix_review.feedback.runs.lengths import Length, length_of, trial_steps
from deepmedix_review.feedback.stage_words import LABELS, LOSS_NAMES, ORIGINS, title_of, way_to
from rl_feedback.training.config import REPORT_TO, StageConfig
from rl_feedback.training.examples import Example, TaughtText
from rl_feedback.training.loss_by_agreement import VotesBehind, choose_loss, with_losses_open
from rl_feedback.training.recipe import Recipe

# What a person may choose on the page; the API takes every setting.
CHOICES = (
    *("num_steps", "examples_per_step", "learning_rate", "loss", "beta", "sft_weight", "num_rollouts"),
    *("kl_weight", "fill_up_to", "replay_per_step", "sample_every", "report_to", "seed"),
)
OWN = "own"
STANDARD, TRIAL = "standard", "trial"


class StageForm(FormInPlace):
    """An empty field keeps its default; every wrong one is said beside it, all at once."""

    def __init__(self, data: Any, *, stage: StageConfig, prefix: str, automatic_loss: str = "") -> None:
        """`automatic_loss` is what `automatic` means for this data set."""
        self.stage = stage
        settings = stage.as_json()
        super().__init__(data, initial=settings, prefix=prefix)
        told = {
            "report_to": ([(value, value) for value in REPORT_TO], ""),
            "loss": (list(LOSS_NAMES.items()), f"Automatic here: {automatic_loss}" if automatic_loss else ""),
        }
        for name in CHOICES:
            # Filled up is what begins so: bare answers and corrections stand alone.
            if name not in settings or (name == "fill_up_to" and not settings[name]):
                continue
            says = stage.explained()[name][1].replace("`", "")
            if says == f"{LABELS[name]}.":
                says = ""
            if name in told:
                choices, here = told[name]
                self.fields[name] = forms.ChoiceField(
                    label=LABELS[name], choices=choices, required=False, help_text=here or says
                )
                continue
            kind = forms.IntegerField if isinstance(settings[name], int) else forms.FloatField
            widget = forms.TextInput(attrs={"inputmode": "decimal"})
            self.fields[name] = kind(label=LABELS[name], required=False, widget=widget, help_text=says)

    @property
    def title(self) -> str:
        return title_of(self.stage)

    def clean(self) -> dict[str, Any]:
        for name, value in self.chosen().items():
            try:
                type(self.stage).from_json({name: value})
            except ValueError as error:
                self.add_error(name, str(error).replace(name, "It", 1))
        return self.cleaned_data

    def chosen(self) -> dict[str, Any]:
        """The fields that were filled in."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}

    def as_json(self) -> dict[str, Any]:
        settings = {"kind": self.stage.kind, **self.stage.as_json(), **self.chosen()}
        # A share that a run began with goes with `robust` alone.
        return settings if settings.get("loss", "robust") == "robust" else {**settings, "flip_share": 0.0}


@dataclass(frozen=True)
class Offer:
    """A recipe on the page: its stages' forms, and what of them the data set has no examples for."""

    offered: OfferedRecipe
    forms: Sequence[StageForm]
    num_examples: Sequence[str]
    lacks: str
    standard: Length
    trial: Length

    @property
    def has_errors(self) -> bool:
        return any(form.is_bound and form.errors for form in self.forms)


class OwnRecipeForm(FormInPlace):
    """A recipe as text, such as the config of a run that was."""

    # The browser would refuse every other recipe too while this one is empty.
    use_required_attribute = False

    recipe_text = forms.CharField(
        label="Recipe as JSON",
        required=True,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "mono"}),
        help_text='{"stages": [{"kind": "sft", "num_steps": 100}, {"kind": "dpo"}]}: what is not named '
        "has its default. The config of a run can be pasted as it is.",
        error_messages={"required": "Write a recipe, or paste the config of a run."},
    )

    def clean_recipe_text(self) -> Recipe:
        try:
            return Recipe.from_json(json.loads(self.cleaned_data["recipe_text"]))
        except json.JSONDecodeError as error:
            raise forms.ValidationError(
                f"This is no JSON: {error.msg} in line {error.lineno}, column {error.colno}."
            ) from error
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


def _so_many(number: int, noun: str) -> str:
    """Of a noun in the plural.

    >>> _so_many(1, "texts to follow"), _so_many(2, "pairs")
    ('1 text to follow', '2 pairs')
    """
    return f"{number} {noun}" if number != 1 else "1 " + re.sub(r"s\b", "", noun, count=1)


def _made_by(origins: Sequence[str]) -> str:
    """Of the origins that a stage takes, those that readers' work can have; empty where it takes all.

    >>> _made_by(["reasoning", "phantom", "rewrite", "question"])
    'that readers rewrote or that are bare answers to questions'
    """
    return " or ".join(words for origin, words in ORIGINS.items() if origin in origins)


def _of_which(examples: Sequence[Example]) -> str:
    """Where texts to follow come from, for few of them need be corrections; empty of other examples.

    >>> texts = [TaughtText("film", "prompt", 1.0, origin, "text") for origin in ("kept", "region", "kept")]
    >>> _of_which(texts)
    ' (1 with regions that readers moved or drew, 2 that readers let stand)'
    """
    found = Counter(one.origin for one in examples if isinstance(one, TaughtText))
    told = [f"{found[origin]:,} {words}" for origin, words in ORIGINS.items() if found[origin]]
    return f" ({', '.join(told)})" if told else ""


class TrainingForm:
    """The recipes that are offered, and one's own, of which one is chosen. `again` is the recipe of a run
    whose settings the form begins with; one that no recipe on offer can say is written out. `seconds` are
    what the texts of each kind of stage take here, `votes` what the data set keeps of its readers' votes."""

    def __init__(
        self,
        examples: Examples | None,
        data: Mapping[str, Any] | None = None,
        *,
        again: Mapping[str, Any] | None = None,
        seconds: Mapping[str, float] | None = None,
        votes: VotesBehind | None = None,
    ) -> None:
        self._votes = votes
        again = with_losses_open(Recipe.from_json(again)).as_json() if again else None
        self.refusal = ""
        self.is_trial = data is not None and data.get("length") == TRIAL
        self._seconds = seconds or {}
        self._again = _offered_like(again) if again else None
        self.engine = EngineForm(data) if has_cluster() else None
        self.offers = [self._offer(offered, examples, data) for offered in OFFERED]
        usable = [offer.offered.key for offer in self.offers if not offer.lacks]
        asked = (
            str(data.get("recipe", ""))
            if data is not None
            else self._again[0]
            if self._again
            else OWN
            if again
            else ""
        )
        self.is_own = asked == OWN
        self.own = OwnRecipeForm(
            data if data is not None and self.is_own else None,
            initial={"recipe_text": json.dumps(again, indent=2)} if again and self.is_own else None,
        )
        self.chosen = asked if asked in {OWN, *(o.key for o in OFFERED)} else (usable or [OFFERED[0].key])[0]
        self.is_usable = bool(usable)

    def is_valid(self) -> bool:
        if self.engine is not None and not self.engine.is_valid():
            return False
        if self.is_own:
            return self.own.is_valid()
        return all(form.is_valid() for form in self._chosen_offer().forms)

    @property
    def has_errors(self) -> bool:
        wrong = (
            self.own.is_bound and bool(self.own.errors) if self.is_own else self._chosen_offer().has_errors
        )
        return bool(self.refusal) or wrong

    def recipe(self) -> dict[str, Any]:
        """Of a valid form, as JSON."""
        if self.is_own:
            own: Recipe = self.own.cleaned_data["recipe_text"]
            return own.as_json()
        stages = [form.as_json() for form in self._chosen_offer().forms]
        if self.is_trial:
            stages = [{**stage, "num_steps": trial_steps(stage["num_steps"])} for stage in stages]
        return {"stages": stages}

    def placement(self) -> dict[str, Any] | None:
        """Of a valid form, as JSON; None where no engine is offered."""
        return self.engine.placement() if self.engine is not None else None

    def _chosen_offer(self) -> Offer:
        return next(offer for offer in self.offers if offer.offered.key == self.chosen)

    def _offer(
        self, offered: OfferedRecipe, examples: Examples | None, data: Mapping[str, Any] | None
    ) -> Offer:
        again = self._again[1] if self._again and self._again[0] == offered.key else None
        begun = (again or offered.recipe).stages
        stages = [without_drawn(stage, examples) for stage in begun] if examples else begun
        asked = data is not None and str(data.get("recipe", "")) == offered.key
        counts = [len(examples.of(stage)) if examples else 0 for stage in stages]
        drawn = [examples.num_drawn(stage) if examples else 0 for stage in stages]
        nouns = [LEARNS_FROM[stage.kind].noun for stage in stages]
        lacking = sorted(
            {
                f"{noun} {_made_by(stage.origins)}".rstrip()
                for stage, noun, number, more in zip(stages, nouns, counts, drawn, strict=True)
                if not number and not more
            }
        )
        ways = dict.fromkeys(
            way_to(stage)
            for stage, number, more in zip(stages, counts, drawn, strict=True)
            if not number and not more
        )
        return Offer(
            offered,
            [
                StageForm(
                    data if asked else None,
                    stage=stage,
                    prefix=f"{offered.key}-{number}",
                    automatic_loss=self._automatic_loss(stage, examples),
                )
                for number, stage in enumerate(stages, 1)
            ],
            [
                _so_many(number, noun)
                + (_of_which(examples.of(stage)) if examples else "")
                + (f" and {_so_many(more, 'drawn films')} with ideal reasoning" if more else "")
                for stage, noun, number, more in zip(stages, nouns, counts, drawn, strict=True)
            ],
            f"This data set holds no {' and no '.join(lacking)}. {' '.join(ways)} Then freeze anew."
            if lacking
            else "",
            length_of(stages, self._seconds, is_trial=False),
            length_of(stages, self._seconds, is_trial=True),
        )

    def _automatic_loss(self, stage: StageConfig, examples: Examples | None) -> str:
        if examples is None or stage.kind != "dpo":
            return ""
        return choose_loss(self._votes, examples.pairs_of(stage)).because


def _offered_like(again: Mapping[str, Any]) -> tuple[str, Recipe] | None:
    """The key of the recipe on offer whose settings on the page, changed, give this one, and this one."""
    recipe = Recipe.from_json(again)
    for offered in OFFERED:
        stages = offered.recipe.stages
        if len(stages) == len(recipe.stages) and all(map(_differs_on_the_page_alone, recipe.stages, stages)):
            return offered.key, recipe
    return None


def _differs_on_the_page_alone(stage: StageConfig, offered: StageConfig) -> bool:
    if type(stage) is not type(offered):
        return False
    shown = {name: getattr(offered, name) for name in (*CHOICES, "flip_share") if hasattr(offered, name)}
    return replace(stage, **shown) == offered
