"""The choices of a design in words, each explained in one plain sentence where it stands."""

from typing import Any

from django import forms

DESIGNS = (
    ("every_reader", "Every reader reads all"),
    ("k_readers", "Some readers per case, balanced"),
    ("split_plot", "Split-plot: blocks of readers read blocks of cases"),
    ("anchor_rotation", "Anchor cases for all, the rest in rotation"),
)
SHOWS = (
    ("two_samples", "Two outputs of one model, side by side"),
    ("two_versions", "One output of each of two models, side by side"),
    ("one", "One output of one model"),
    ("one_of_two", "One output, of either of two models by chance"),
)
FIRST_READS = (("off", "Off"), ("on", "On every case"), ("share", "On a random share"))
ADJUDICATION = (
    ("off", "Left as it is"),
    ("third_reader", "A third reader"),
    ("consensus", "A consensus reading"),
)
SIDES = (("", "Every side"), ("train", "Train"), ("tune", "Tune"), ("test", "Test"))
PRESETS = (
    ("usual", "The usual six"),
    ("room", "The usual six, harm and grounding"),
    ("answer", "The answer alone"),
    ("all", "All that come with the product"),
    ("own", "As I tick them below"),
)

# By field and choice.
EXPLAINED = {
    "design": {
        "every_reader": "Gives most for agreement; good for few cases.",
        "k_readers": "For more cases than one reader can read; loads differ by at most one.",
        "split_plot": "Readers and cases are put into blocks; a reader reads all cases of one block.",
        "anchor_rotation": "All read the anchor cases, so that readers can be compared; the others go round.",
    },
    "shows": {
        "two_samples": "Readers rate both and vote: for preference data.",
        "two_versions": "Readers rate both and vote: which model is better.",
        "one": "Readers rate it, without a vote.",
        "one_of_two": "Compares two models without showing them side by side.",
    },
    "first_reads": {
        "on": "The reader writes down an own word, and locks it, before the output is shown.",
        "share": "Likewise, on cases drawn by chance: so you see whether writing first changes the ratings.",
    },
    "adjudication": {
        "third_reader": "A case on which readers disagree goes by itself to a reader who has not read it.",
        "consensus": "You give such a case to somebody, who sees what the others said.",
    },
    "preset": {
        "usual": "Each step, the answer, and which is better; nothing of harm.",
        "room": "Also what would follow from the answer, and whose regions show it better.",
        "answer": "Four marks for the answer, none for its steps.",
        "all": "Also kinds of error, omissions and harm.",
        "own": "Own questions too, in your order, required or not.",
    },
}


class ExplainedRadio(forms.RadioSelect):
    """Each choice with its sentence below it, which describes it to a screen reader too."""

    option_template_name = "reviews/design/explained_option.html"

    def __init__(self, field: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.explained = EXPLAINED[field]

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(*args, **kwargs)
        said = self.explained.get(str(option["value"]), "")
        if said:
            option["said"] = said
            option["attrs"]["aria-describedby"] = f"{option['attrs'].get('id', option['name'])}-said"
        return option
