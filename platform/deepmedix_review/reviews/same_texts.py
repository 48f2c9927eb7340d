"""Which pairs of outputs say the same: their readers would compare a text with itself.

The words are the same, and each region lies where its like in the other text lies: a model that says a thing
twice is often some pixels off, which no reader tells apart.
"""

from dataclasses import dataclass

from django.db.models import (
    Count,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Greatest, Least
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual

from deepmedix_review.reasoning.models import Completion, Region
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Case, ReaderStudy

SHOWS_PAIRS = (ReaderStudy.Shows.TWO_SAMPLES, ReaderStudy.Shows.TWO_VERSIONS)
# The intersection over union from which on two regions are one, and how that is told.
LEAST_IOU = 0.9
HOW_ALIKE = f"word for word and region for region (IoU {LEAST_IOU} or more)"
_BOX = r"\[\s*[-+.0-9eE]+(?:\s*,\s*[-+.0-9eE]+){3}\s*,?\s*\]"


@dataclass(frozen=True)
class SamePairs:
    """Of so many pairs of a reader study, how many say the same."""

    num_same: int
    num_pairs: int

    def __str__(self) -> str:
        pairs, say = "pair" if self.num_pairs == 1 else "pairs", "says" if self.num_same == 1 else "say"
        return f"{self.num_same} of {self.num_pairs} {pairs} {say} the same, {HOW_ALIKE}"


def say_same_pairs(reader_study: ReaderStudy) -> str:
    """What became of them, with their number, 0 too; empty where no pair is shown."""
    found = same_pairs_of(reader_study)
    if found is None:
        return ""
    if reader_study.leaves_out_same:
        return say_left_out(reader_study)
    return str(found) if found.num_pairs else ""


def say_left_out(reader_study: ReaderStudy) -> str:
    """Of a design that leaves them out; those that began before they were counted have no number."""
    number = reader_study.num_same_left_out
    if number is None:
        return f"Pairs that say the same, {HOW_ALIKE}, were left out"
    if number == 0:
        return (
            f"Pairs that say the same, {HOW_ALIKE}, are left out; none was among the cases that were chosen"
        )
    pairs = "1 pair that says" if number == 1 else f"{number} pairs that say"
    return f"{pairs} the same, {HOW_ALIKE}, {'was' if number == 1 else 'were'} left out"


def saying_the_same(
    *, shows: str, model_version: ModelVersion | None, other_version: ModelVersion | None
) -> Exists | None:
    """Of a study: the two outputs that `study_services.showing` would choose now say the same. None where no
    pair is shown."""
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
    return Exists(_alike(newest_of_study, beside))


def same_pairs_of(reader_study: ReaderStudy) -> SamePairs | None:
    """Of the pairs that its cases of data show, as they were fixed at the start; None where it shows none."""
    if reader_study.shows not in SHOWS_PAIRS:
        return None
    shown = Case.completions.through.objects.filter(case=OuterRef("pk")).values("completion")
    pairs = (
        Case.objects.filter(reader_study=reader_study, role=Case.Role.DATA)
        .annotate(
            first=Subquery(shown.order_by("completion")[:1]),
            last=Subquery(shown.order_by("-completion")[:1]),
        )
        .filter(first__lt=F("last"))
    )
    same = _alike(
        Completion.objects.filter(pk=OuterRef("first")),
        Completion.objects.filter(pk=OuterRef(OuterRef("last"))),
    )
    found = pairs.annotate(says_the_same=Exists(same)).aggregate(
        pairs=Count("pk"), same=Count("pk", filter=Q(says_the_same=True))
    )
    return SamePairs(num_same=found["same"], num_pairs=found["pairs"])


def _alike(completions: QuerySet[Completion], beside: QuerySet[Completion]) -> QuerySet[Completion]:
    """Those that say what the first of `beside` says, which may refer to them as its outer query."""
    there = Region.objects.filter(
        step__completion=OuterRef(OuterRef("beside")),
        step__position=OuterRef("step__position"),
        position=OuterRef("position"),
    )
    moved = Region.objects.filter(~Exists(_lying_there(there)), step__completion=OuterRef("pk"))
    same_words = Exact(_words("text"), _words("text_beside"))
    return completions.alias(
        beside=Subquery(beside.values("pk")[:1]), text_beside=Subquery(beside.values("text")[:1])
    ).filter(Q(text=F("text_beside")) | (Q(same_words) & ~Exists(moved)))


def _words(name: str) -> Func:
    """A text without its regions: like texts have them at like places."""
    return Func(
        F(name), Value(_BOX), Value("[]"), Value("g"), function="regexp_replace", output_field=TextField()
    )


def _lying_there(regions: QuerySet[Region]) -> QuerySet[Region]:
    """Those that lie where the region of the outer query does."""

    def side(axis: str) -> Func:
        far = Least(F(f"{axis}_max"), OuterRef(f"{axis}_max"), output_field=FloatField())
        near = Greatest(F(f"{axis}_min"), OuterRef(f"{axis}_min"), output_field=FloatField())
        return Greatest(far - near, Value(0.0), output_field=FloatField())

    shared = side("x") * side("y")
    areas = ExpressionWrapper(
        (F("x_max") - F("x_min")) * (F("y_max") - F("y_min"))
        + (OuterRef("x_max") - OuterRef("x_min")) * (OuterRef("y_max") - OuterRef("y_min")),
        output_field=FloatField(),
    )
    # The union is both areas less what they share.
    return regions.filter(
        GreaterThan(shared, Value(0.0)),
        GreaterThanOrEqual(shared * Value(1 + LEAST_IOU), areas * Value(LEAST_IOU)),
    )
