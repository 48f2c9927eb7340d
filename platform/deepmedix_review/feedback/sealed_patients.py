"""Keeps the patients of held-out films out of training, wherever their films came in from."""

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from deepmedix_review.feedback.models import PreferenceDataset, TrainingRun
from deepmedix_review.feedback.readings_learned import readings_of
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import lineage
from deepmedix_review.studies.collecting.split import Shares, side_of
from deepmedix_review.studies.intake.deidentification import keyed_uid, patient_pseudonym
from deepmedix_review.studies.models import Split, Study
from inference.phantom_dicom import identity_of
from inference.phantoms import HELD_OUT_SEEDS, SITES
from rl_feedback.gate.sealed import seen_sentence


@dataclass(frozen=True)
class SealedNames:
    """What held-out patients and their studies are called in this installation."""

    pseudonyms: frozenset[str]
    study_uids: frozenset[str]


def sealed_names() -> SealedNames:
    """Of every held-out seed of every site, in use before the gate or not."""
    return _names(settings.DEIDENTIFICATION_KEY)


@lru_cache(maxsize=1)
def _names(key: str) -> SealedNames:
    identities = [identity_of(seed, site) for site in SITES for seed in HELD_OUT_SEEDS]
    return SealedNames(
        # Phantoms name nobody who gave the number.
        frozenset(patient_pseudonym(f"|{one.patient_id}", key=key) for one in identities),
        frozenset(keyed_uid(one.study_instance_uid, key=key) for one in identities),
    )


def sealed_refusal(dataset: PreferenceDataset) -> str:
    """Why nothing may learn from this data set; empty where no held-out patient is on its train side: none
    of the gate's own, and none of the site's test side."""
    names = sealed_names()
    studies = Study.objects.filter(pk__in=readings_of(dataset).values("assignment__case__study"))
    # Compared here: a query that names forty thousand takes a second, however few films were read.
    learned = list(studies.values_list("patient_pseudonym", "study_instance_uid"))
    sealed = [
        uid
        for pseudonym, uid in learned
        if pseudonym in names.pseudonyms
        or uid in names.study_uids
        or side_of(pseudonym, shares=Shares()) == Split.TEST
    ]
    return seen_sentence(len(sealed), len(learned)) if sealed else ""


def lineage_refusal(candidate: ModelVersion) -> str:
    """The same of everything that the candidate and the versions before it learned from."""
    runs = TrainingRun.objects.filter(candidate__in=lineage(candidate)).select_related("dataset", "candidate")
    for run in runs.order_by("pk"):
        refusal = sealed_refusal(run.dataset)
        if refusal:
            return refusal if run.candidate == candidate else f"It descends from {run.candidate}. {refusal}"
    return ""
