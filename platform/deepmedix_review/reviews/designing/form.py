"""What an admin says of a new reader study, as a page's fields, and the draft that comes of it."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from deepmedix_review.accounts.models import User
from deepmedix_review.common.forms import DateInput, Pairs, PlainForm, offer
from deepmedix_review.reviews.designing.words import (
    ADJUDICATION,
    DESIGNS,
    FIRST_READS,
    PRESETS,
    SHOWS,
    SIDES,
    ExplainedRadio,
)
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.same_texts import HOW_ALIKE
from deepmedix_review.reviews.study_services import Collected, StudyDraft

MAX_SEED = 2**31 - 1
KEEP, ALL, IMPORTS, CHOSEN, COLLECTION = "keep", "all", "imports", "chosen", "collection"
# Fields in which a person writes per cent and the design keeps a share.
SHARES = ("first_read_share", "repeat_share", "control_share")


def _percent(label: str, help_text: str = "", *, initial: int = 0) -> forms.FloatField:
    return forms.FloatField(
        required=False,
        min_value=0,
        max_value=100,
        initial=initial,
        label=label,
        help_text=help_text,
        error_messages=_ends(0, 100),
    )


def _whole(
    label: str, *, initial: int | None = None, least: int = 0, most: int = 32_000, help_text: str = ""
) -> forms.IntegerField:
    return forms.IntegerField(
        required=False,
        min_value=least,
        max_value=most,
        initial=initial,
        label=label,
        help_text=help_text,
        error_messages=_ends(least, most),
    )


def _ends(least: float, most: float) -> dict[str, str]:
    return {"min_value": f"At least {least:g}.", "max_value": f"At most {most:,}."}


class ReaderStudyForm(PlainForm):
    """All but the taught cases and the questions, which stand in lists of their own."""

    title = forms.CharField(
        max_length=120,
        help_text="Readers see it above every case. Name no model in it. 120 characters at most.",
        error_messages={"required": "Enter a title."},
    )
    instructions = forms.CharField(
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Shown to every reader before the first case, and whenever they ask for it.",
    )
    shows = forms.ChoiceField(
        choices=SHOWS, widget=ExplainedRadio("shows"), initial="two_samples", label="What they read"
    )
    version = forms.ChoiceField(required=False, label="Model version")
    other_version = forms.ChoiceField(required=False, label="Other version")
    cases_from = forms.ChoiceField(choices=(), widget=forms.RadioSelect, initial=CHOSEN, label="Cases")
    collection = forms.ChoiceField(required=False)
    collection_split = forms.ChoiceField(
        required=False,
        choices=SIDES,
        label="Side",
        help_text="Judge a model on patients it was not trained on: test.",
    )
    collection_most = _whole(
        "At most", initial=None, least=1, most=5000, help_text="Drawn by the seed. Empty: all, up to 5,000."
    )
    leaves_out_same = forms.BooleanField(
        required=False,
        label="Leave out pairs that say the same",
        help_text=f"The same is {HOW_ALIKE}: their readers would compare a text with itself.",
    )
    imports = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    studies = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    preset = forms.ChoiceField(
        required=False,
        choices=PRESETS,
        widget=ExplainedRadio("preset"),
        initial="usual",
        label="Questions",
    )
    design = forms.ChoiceField(
        choices=DESIGNS,
        widget=ExplainedRadio("design"),
        initial="every_reader",
        label="Who reads which cases",
    )
    readers_per_case = _whole("Readers per case", initial=2, least=1, most=100)
    num_blocks = _whole("Blocks", initial=2, least=1, most=100, help_text="Groups of readers, and of cases.")
    num_anchor_cases = _whole("Anchor cases", initial=10, help_text="Read by every reader.")
    is_pool = forms.BooleanField(
        required=False,
        label="From a pool",
        help_text="Readers take the next free case when they have time; nothing is assigned ahead.",
    )
    lease_minutes = _whole(
        "Minutes a case is held",
        initial=120,
        least=5,
        most=10_080,
        help_text="Without a word from its reader; then another may take it.",
    )
    seed = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_SEED,
        initial=1,
        error_messages=_ends(0, MAX_SEED),
        help_text="Draws orders, sides and shares. The same seed draws the same.",
    )
    first_reads = forms.ChoiceField(
        choices=FIRST_READS, widget=ExplainedRadio("first_reads"), initial="off", label="First reads"
    )
    first_read_share = _percent("Share of cases, %", initial=50)
    first_read_choices = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Answers to choose from",
        help_text="One a line. Empty: findings and an impression.",
    )
    repeat_share = _percent(
        "Hidden repeats, %",
        "So many of a reader's cases come again, sides swapped: does the reader agree with the same reader?",
    )
    washout_cases = _whole(
        "Washout, cases",
        help_text="Other cases between a case and its repeat. Empty: half of what the plan says is possible, "
        "20 at most.",
    )
    washout_days = _whole(
        "Washout, days",
        initial=0,
        most=3650,
        help_text="Readers forget with time: reader studies wait at least 4 weeks, 28 days (FDA, guidance on "
        "computer-assisted detection in radiology, 2022).",
    )
    control_share = _percent(
        "Control cases, %",
        "They show a box in a wrong place or another case's sentence: do readers look? Never data.",
    )
    readers = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    deadline = forms.DateField(required=False, widget=DateInput)
    hides_results = forms.BooleanField(
        required=False,
        label="Hide the results until the lock",
        help_text="Nobody of the staff sees ratings before; progress stays visible.",
    )
    adjudication = forms.ChoiceField(
        choices=ADJUDICATION,
        widget=ExplainedRadio("adjudication"),
        initial="off",
        label="Who settles disagreement",
    )
    adjudication_points = forms.FloatField(
        required=False,
        min_value=0.5,
        max_value=20,
        initial=2,
        error_messages=_ends(0.5, 20),
        label="Points apart",
        help_text="Two readers' ratings of one item this far apart are a disagreement.",
    )

    def __init__(
        self,
        *args: Any,
        versions: Pairs,
        collections: Pairs,
        imports: Pairs,
        studies: Pairs,
        readers: Pairs,
        num_drafted: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "version", [("", "the one that serves when the study starts"), *versions])
        offer(self, "other_version", [("", "—"), *versions])
        offer(self, "collection", [("", "—"), *collections])
        offer(self, "imports", imports)
        offer(self, "studies", studies)
        offer(self, "readers", readers)
        offer(self, "cases_from", sources(num_drafted))


def sources(num_drafted: int) -> list[tuple[str, str]]:
    """Where cases come from; a long draft is kept whole instead of being shown study by study."""
    offered = [
        (COLLECTION, "A collection"),
        (CHOSEN, "Studies one by one"),
        (IMPORTS, "Whole imports"),
        (ALL, "Every ready study"),
    ]
    if num_drafted:
        offered.insert(0, (KEEP, f"The {num_drafted} of this draft"))
    return offered


def design_from(said: Mapping[str, Any]) -> ReaderStudyDesign:
    """The design of what is valid in the form; what does not belong to it is left at its default."""
    design = said.get("design", "every_reader")
    is_pool = bool(said.get("is_pool"))
    if is_pool and design == "every_reader":
        # Nothing is assigned ahead, so a pool always says how many readers a case takes.
        design = "k_readers"
    first_reads = said.get("first_reads", "off")
    counts = design in ("k_readers", "anchor_rotation")
    repeats = _share(said, "repeat_share")
    return ReaderStudyDesign(
        design=design,
        readers_per_case=(said.get("readers_per_case") or 1) if counts else None,
        is_pool=is_pool,
        num_blocks=(said.get("num_blocks") or 1) if design == "split_plot" else 1,
        num_anchor_cases=(said.get("num_anchor_cases") or 0) if design == "anchor_rotation" else 0,
        shows=said.get("shows", "two_samples"),
        first_reads=first_reads,
        first_read_share=_share(said, "first_read_share") if first_reads == "share" else 0.0,
        repeat_share=repeats,
        washout_days=(said.get("washout_days") or 0) if repeats else 0,
        washout_cases=(said.get("washout_cases") or 0) if repeats else 0,
        control_share=_share(said, "control_share"),
    )


def settings_from(said: Mapping[str, Any]) -> dict[str, Any]:
    """The rest of the draft's plain fields, by name, of what is valid in the form."""
    lines = str(said.get("first_read_choices", "")).splitlines()
    return {
        "title": said.get("title", ""),
        "instructions": said.get("instructions", ""),
        "seed": said["seed"] if said.get("seed") is not None else 1,
        "deadline": said.get("deadline"),
        "leaves_out_same": bool(said.get("leaves_out_same")),
        "hides_results": bool(said.get("hides_results")),
        "first_read_choices": [line.strip() for line in lines if line.strip()],
        "lease_minutes": said.get("lease_minutes") or 120,
        "adjudication": said.get("adjudication", ReaderStudy.Adjudication.OFF),
        "adjudication_points": said.get("adjudication_points") or 2.0,
    }


def initial_from(draft: StudyDraft, *, lists_studies: bool) -> dict[str, Any]:
    """What the form shows of a draft."""
    design = draft.design
    initial = {
        name: getattr(design, name)
        for name in ReaderStudyDesign.__dataclass_fields__
        if getattr(design, name) is not None
    }
    for name in SHARES:
        percent = round(100 * initial[name], 2)
        initial[name] = int(percent) if percent.is_integer() else percent
    if design.design != "split_plot":
        del initial["num_blocks"]
    if design.design != "anchor_rotation":
        del initial["num_anchor_cases"]
    if not design.repeat_share:
        del initial["washout_cases"]
    return initial | {
        "title": draft.title,
        "instructions": draft.instructions,
        "version": str(draft.model_version.uid) if draft.model_version else None,
        "other_version": str(draft.other_version.uid) if draft.other_version else None,
        **_cases_of(draft, lists_studies=lists_studies),
        "readers": [str(reader.uid) for reader in draft.readers],
        "leaves_out_same": draft.leaves_out_same,
        "seed": draft.seed,
        "deadline": draft.deadline,
        "hides_results": draft.hides_results,
        "first_read_choices": "\n".join(draft.first_read_choices),
        "lease_minutes": draft.lease_minutes,
        "adjudication": draft.adjudication,
        "adjudication_points": draft.adjudication_points,
    }


def begin_with(collected: Collected | None, *, has_collections: bool) -> dict[str, Any]:
    """What a new study's form shows first: a collection where there are any."""
    if collected is None:
        return {"cases_from": COLLECTION if has_collections else CHOSEN}
    return {
        "cases_from": COLLECTION,
        "collection": str(collected.version.uid),
        "collection_split": collected.split,
    }


def _cases_of(draft: StudyDraft, *, lists_studies: bool) -> dict[str, Any]:
    """A collection is asked anew when the draft is kept again; other cases stay as they are."""
    if draft.collected is not None:
        return {
            "cases_from": COLLECTION,
            "collection": str(draft.collected.version.uid),
            "collection_split": draft.collected.split,
            "collection_most": draft.collected.most,
        }
    return {
        "cases_from": CHOSEN if lists_studies else KEEP,
        "studies": [str(study.uid) for study in draft.studies] if lists_studies else [],
    }


def readers_from(said: Mapping[str, Any], experts: Sequence[User]) -> list[User]:
    chosen = {uuid.UUID(uid) for uid in said.get("readers") or ()}
    return [expert for expert in experts if expert.uid in chosen]


def _share(said: Mapping[str, Any], name: str) -> float:
    return round((said.get(name) or 0.0) / 100, 4)
