"""Which pairs of outputs say the same, word for word: their readers would compare a text with itself."""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Case, ReaderStudy
from deepmedix_review.studies.models import Study

SHOWS_PAIRS = (ReaderStudy.Shows.TWO_SAMPLES, ReaderStudy.Shows.TWO_VERSIONS)


@dataclass(frozen=True)
class SamePairs:
    """Of so many pairs of a reader study, how many say the same."""

    num_same: int
    num_pairs: int

    def __str__(self) -> str:
        pairs, say = "pair" if self.num_pairs == 1 else "pairs", "says" if self.num_same == 1 else "say"
        return f"{self.num_same} of {self.num_pairs} {pairs} {say} the same, word for word"


def saying_the_same(
    *, shows: str, model_version: ModelVersion | None, other_version: ModelVersion | None
) -> Exists | None:
    """Of a study: the two outputs that `study_services.showing` would choose now have one text, and its
    regions are written in it. None where no pair is shown."""
    if shows not in SHOWS_PAIRS or model_version is None:
        return None
    like_it = Completion.objects.filter(
        study=OuterRef("study"), instance=OuterRef("instance"), query=OuterRef("query")
    ).order_by("-pk")
    if shows == ReaderStudy.Shows.TWO_SAMPLES:
        shown = Q(model_version=model_version)
        beside = like_it.filter(model_version=model_version, pk__lt=OuterRef("pk"))
    else:
        if other_version is None:
            return None
        both = (model_version, other_version)
        beside = like_it.filter(model_version__in=both).exclude(model_version=OuterRef("model_version"))
        shown = Q(Exists(beside), model_version__in=both)
    newest = Completion.objects.filter(shown, study=OuterRef(OuterRef("pk"))).order_by("-pk")
    newest_of_study = Completion.objects.filter(study=OuterRef("pk"), pk=Subquery(newest.values("pk")[:1]))
    return Exists(newest_of_study.filter(text=Subquery(beside.values("text")[:1])))


def that_differ(
    studies: QuerySet[Study],
    *,
    shows: str,
    model_version: ModelVersion | None,
    other_version: ModelVersion | None,
) -> QuerySet[Study]:
    """Without those whose pair says the same."""
    same = saying_the_same(shows=shows, model_version=model_version, other_version=other_version)
    return studies if same is None else studies.filter(~same)


def same_pairs_of(reader_study: ReaderStudy) -> SamePairs | None:
    """Of the pairs that its cases of data show, as they were fixed at the start; None where it shows none."""
    if reader_study.shows not in SHOWS_PAIRS:
        return None
    of_data = Case.objects.filter(reader_study=reader_study, role=Case.Role.DATA)
    shown = of_data.annotate(
        num_outputs=Count("completions"), num_texts=Count("completions__text", distinct=True)
    )
    found = shown.filter(num_outputs=2).aggregate(pairs=Count("pk"), same=Count("pk", filter=Q(num_texts=1)))
    return SamePairs(num_same=found["same"], num_pairs=found["pairs"])
