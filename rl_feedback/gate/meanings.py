"""What each guarded figure is, in a sentence for a person who never met its name."""

from __future__ import annotations

from rl_feedback.gate.policy import KIND_RECALL, Suite

_ANY = {
    "exact_answer": "Share of films whose answer names exactly the findings that are there, side and all.",
    "finding_f1": "F1 of the answer's findings: high only where few are missing and few are made up.",
    "lesion_recall": "Share of lesions that the answer names, side and all.",
}
_SEALED = _ANY | {
    "lesion_iou": "How well regions drawn for lesions cover them (intersection over union); 0 where a lesion "
    "is not named.",
    "heart_iou": "How well the region drawn for the heart covers it (intersection over union).",
    "finding_precision": "Share of the answer's findings that are there.",
    "well_formed": "Share of texts that can be read whole: reasoning, regions and answer.",
    "hallucinated": "Findings a film that the answer or a step names and that are not there.",
    "omitted": "Findings a film that are there and that neither the answer nor a step names.",
    "negation_flips": "Kinds of findings a film that the text says outright are absent and are there, or "
    "says are there and are absent.",
    "reversed": "Kinds of findings a film that the version it is compared with states rightly and the "
    "candidate states the other way.",
    "laterality_flips": "Lesions a film that are named on the other side alone: left for right.",
    "num_characters": "Characters a text.",
    "num_boxes": "Regions drawn a film.",
    "constant_box": "How often a region of the same thing on another film lies in the same place, within 2 "
    "pixels of 112: near 1 where boxes are printed, not looked for.",
    **{
        figure: f"Share of findings of this kind ({kind}) that the answer names, side and all."
        for kind, figure in KIND_RECALL.items()
    },
}
_CANARIES = {
    "blank_cited": "Findings named on a film that shows nothing.",
    "other_part_cited": "Findings named on a film of a hand.",
    "shuffled_cited": "Findings named on a chest that was cut into 64 pieces and laid in an order of chance.",
    "mirrored_sides": "Of lesions named on a mirrored film, the share that is named on the mirrored side.",
    "image_dependence": "A film is shown under another patient's name: F1 of the answer with what the film "
    "shows, less F1 with what that patient has. Near 0 where the film is not looked at.",
}
_PATIENTS = {
    "confirmed_said": "Share of findings that readers let stand or added which the text says.",
    "added_said": "Of these, the share of findings that no model had said and readers had to add.",
    "confirmed_iou": "How well its regions cover those that readers drew, moved or kept; 0 where a finding "
    "is not said.",
    "struck_said": "Share of findings that readers took out which the text says again.",
    "denied_said": "Share of findings that an output denied, which readers let stand, and the text affirms.",
    "answer_fit": "F1 of the answer's findings with the nearest answer that readers found right.",
    "unjudged": "Findings a film that no reader judged: new, right or made up.",
    **{figure: _SEALED[figure] for figure in ("well_formed", "num_boxes", "num_characters")},
}
_OF = {
    Suite.SEALED: _SEALED,
    Suite.CANARIES: _CANARIES,
    Suite.TWINS: {
        figure: f"{of[:-1]}: by how much better on the sealed films than on films drawn for this candidate "
        "alone. High where the sealed ones are known by heart."
        for figure, of in _ANY.items()
    },
    Suite.STEPS: {
        "step_score": "What the weakest step of a text is worth at least, by a scorer that learned from "
        "readers' ratings of steps."
    },
    Suite.PATIENTS: _PATIENTS,
}


def meaning(suite: Suite, figure: str) -> str:
    """Empty for a figure that no policy of this version guards, such as one of a decision from before."""
    return _OF[suite].get(figure, "")
