"""On which films of sealed patients a candidate's answer changed most against its parent's: found out once,
when the gate decides, so that a page has only the films that it shows to score."""

from collections.abc import Sequence

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from deepmedix_review.evaluation.models import Evaluation, PatientAnswer, PatientFilm
from deepmedix_review.evaluation.patients import PatientPair, in_use, pairs_of
from rl_feedback.sealed_patients import Finding


def lost(pair: PatientPair) -> list[Finding]:
    """What readers confirmed, and the candidate no longer says."""
    both = zip(pair.reference.confirmed, pair.parent.score.found, pair.candidate.score.found, strict=True)
    return [known.finding for known, before, after in both if before and not after]


def repeated(pair: PatientPair) -> list[Finding]:
    """What readers ruled out, and the candidate says though its parent does not."""
    before, after = pair.parent.score, pair.candidate.score
    said = {*before.struck_said, *before.denied_said}
    return [one for one in (*after.struck_said, *after.denied_said) if one not in said]


def record_changes(pairs: Sequence[PatientPair]) -> None:
    """Keep with each film how far its two answers lie apart."""
    rows = [
        PatientFilm(pk=pair.place, num_harmed=len(lost(pair)) + len(repeated(pair)), moved=_moved(pair))
        for pair in pairs
    ]
    PatientFilm.objects.bulk_update(rows, ["num_harmed", "moved"])


def most_changed_pairs(parent: Evaluation, candidate: Evaluation, *, number: int) -> list[PatientPair]:
    """Confirmed findings lost and struck ones said again first, then whatever else moved; of studies that are
    in use now."""
    changed = _compared(parent, candidate).exclude(Q(before=F("after")))
    order = (F("num_harmed").desc(nulls_last=True), F("moved").desc(nulls_last=True), "film_id")
    return pairs_of(list(changed.order_by(*order)[:number]), parent, candidate)


def num_compared(parent: Evaluation, candidate: Evaluation) -> int:
    """Films that both answered, of studies that are in use now."""
    return _compared(parent, candidate).count()


def _compared(parent: Evaluation, candidate: Evaluation) -> QuerySet[PatientFilm]:
    def text_of(evaluation: Evaluation) -> Subquery:
        return Subquery(PatientAnswer.objects.filter(evaluation=evaluation, of=OuterRef("pk")).values("text"))

    both = in_use(candidate.benchmark).annotate(before=text_of(parent), after=text_of(candidate))
    return both.filter(Q(before__isnull=False, after__isnull=False))


def _moved(pair: PatientPair) -> float:
    before, after = pair.parent.score, pair.candidate.score
    regions = sum(abs((a or 0.0) - (b or 0.0)) for a, b in zip(before.ious, after.ious, strict=True))
    gained = sum(new and not old for old, new in zip(before.found, after.found, strict=True))
    return regions + gained + abs((before.answer or 0.0) - (after.answer or 0.0))
