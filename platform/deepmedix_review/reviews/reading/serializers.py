"""The JSON of a reading as its page gets it: the film, what was said of it, what the reader said so far."""

from typing import Any

from rest_framework import serializers

from deepmedix_review.reviews.first_reads import CHEXPERT_FINDINGS
from deepmedix_review.reviews.models import AnswerRating, Criterion, RegionAnnotation, Vote
from deepmedix_review.reviews.reading.change_fields import CriterionValueField
from deepmedix_review.reviews.reading.change_serializers import FIRST_READ_MOMENTS, LookSerializer
from deepmedix_review.studies.serializers import CompanionFilmSerializer


def _rating() -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=5, allow_null=True)


def _findings() -> serializers.ListField:
    return serializers.ListField(child=serializers.ChoiceField(choices=CHEXPERT_FINDINGS))


class ReadingFilmSerializer(serializers.Serializer[Any]):
    uid = serializers.UUIDField()
    sop_instance_uid = serializers.CharField()
    film_url = serializers.CharField()
    file_sha256 = serializers.CharField(help_text="of the file at film_url")
    rows = serializers.IntegerField()
    columns = serializers.IntegerField()
    row_spacing_mm = serializers.FloatField(allow_null=True)
    column_spacing_mm = serializers.FloatField(allow_null=True)
    bits_stored = serializers.IntegerField()
    view_position = serializers.CharField()
    modality = serializers.CharField()


class ReadingRegionSerializer(serializers.Serializer[Any]):
    uid = serializers.UUIDField()
    position = serializers.IntegerField()
    x_min = serializers.FloatField()
    y_min = serializers.FloatField()
    x_max = serializers.FloatField()
    y_max = serializers.FloatField()
    problem = serializers.CharField(help_text="outside_image, no_area, inverted, whole_image; else empty")


class NamedFindingSerializer(serializers.Serializer[Any]):
    finding = serializers.CharField(help_text="as the rules that read reports name it")
    sides = serializers.ListField(child=serializers.CharField(), help_text="of the patient: left, right")
    words = serializers.CharField(help_text="as written")


class ReadingStepSerializer(serializers.Serializer[Any]):
    uid = serializers.UUIDField()
    position = serializers.IntegerField()
    text = serializers.CharField()
    names = NamedFindingSerializer(many=True, help_text="findings that it says outright are there")
    regions = ReadingRegionSerializer(many=True)


class ReadingCompletionSerializer(serializers.Serializer[Any]):
    side = serializers.ChoiceField(choices=[("a", "A"), ("b", "B")])
    uid = serializers.UUIDField()
    answer = serializers.CharField()
    answer_names = NamedFindingSerializer(many=True, help_text="findings that it says outright are there")
    text = serializers.CharField()
    beside = serializers.ListField(
        child=serializers.CharField(), help_text="what it says outside its steps and its answer"
    )
    problems = serializers.ListField(child=serializers.CharField())
    steps = ReadingStepSerializer(many=True)


class StepRatingSerializer(serializers.Serializer[Any]):
    step = serializers.UUIDField()
    plausibility = _rating()
    cannot_judge = serializers.BooleanField()
    note = serializers.CharField(allow_blank=True)
    edited_text = serializers.CharField(allow_blank=True, help_text="empty where the step stands as it is")


class RegionAnnotationSerializer(serializers.Serializer[Any]):
    region = serializers.UUIDField()
    verdict = serializers.ChoiceField(choices=RegionAnnotation.Verdict.choices)
    x_min = serializers.FloatField(allow_null=True)
    y_min = serializers.FloatField(allow_null=True)
    x_max = serializers.FloatField(allow_null=True)
    y_max = serializers.FloatField(allow_null=True)


class AnswerRatingSerializer(serializers.Serializer[Any]):
    completion = serializers.UUIDField()
    relevance = _rating()
    correctness = _rating()
    completeness = _rating()
    harm = serializers.ChoiceField(choices=AnswerRating.Harm.choices, allow_blank=True)
    rewrite = serializers.CharField(allow_blank=True, help_text="empty where the answer stands as it is")


class VoteSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=Vote.Kind.choices)
    side = serializers.ChoiceField(choices=Vote.Side.choices)


class MissedFindingSerializer(serializers.Serializer[Any]):
    uid = serializers.UUIDField()
    completion = serializers.UUIDField()
    text = serializers.CharField()


class DrawnRegionSerializer(serializers.Serializer[Any]):
    uid = serializers.UUIDField()
    step = serializers.UUIDField(allow_null=True)
    missed_finding = serializers.UUIDField(allow_null=True)
    first_read = serializers.ChoiceField(choices=FIRST_READ_MOMENTS, allow_null=True)
    x_min = serializers.FloatField()
    y_min = serializers.FloatField()
    x_max = serializers.FloatField()
    y_max = serializers.FloatField()


class FirstReadViewSerializer(serializers.Serializer[Any]):
    choice = serializers.CharField()
    findings = _findings()
    impression = serializers.CharField()
    confidence = _rating()
    locked_at = serializers.DateTimeField(allow_null=True)
    regions = DrawnRegionSerializer(many=True)


class FirstReadFormSerializer(serializers.Serializer[Any]):
    form = serializers.ChoiceField(choices=[("choice", "one answer"), ("findings", "findings")])
    choices = serializers.ListField(child=serializers.CharField())
    findings_offered = _findings()
    first = FirstReadViewSerializer(allow_null=True)
    after_reveal = FirstReadViewSerializer(allow_null=True)


class CriterionOptionSerializer(serializers.Serializer[Any]):
    value = CriterionValueField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of the answer, not DRF's label
    anchor = serializers.CharField()


class CriterionSerializer(serializers.Serializer[Any]):
    uid = serializers.UUIDField()
    key = serializers.CharField()
    version = serializers.IntegerField()
    name = serializers.CharField()
    question = serializers.CharField()
    target = serializers.ChoiceField(choices=Criterion.Target.choices)
    kind = serializers.ChoiceField(choices=Criterion.Kind.choices)
    options = CriterionOptionSerializer(many=True)
    field = serializers.CharField(help_text="of a built-in question, where its answer is; else empty")
    asked_if = serializers.CharField(
        help_text="flawed: of steps that are not right as they stand; there: of such whose finding is there"
    )
    finding = serializers.CharField(
        help_text="of an adjudication: the finding that a reader struck out and that may be there; else empty"
    )
    is_required = serializers.BooleanField()


class CriterionRatingSerializer(serializers.Serializer[Any]):
    criterion = serializers.UUIDField()
    completion = serializers.UUIDField(allow_null=True)
    step = serializers.UUIDField(allow_null=True)
    region = serializers.UUIDField(allow_null=True)
    value = CriterionValueField()


class WindowSerializer(serializers.Serializer[Any]):
    center = serializers.FloatField()
    width = serializers.FloatField()
    inverted = serializers.BooleanField()
    look = LookSerializer(allow_null=True, help_text="null where it is the film's first")


class EarlierReadingSerializer(serializers.Serializer[Any]):
    label = serializers.CharField(help_text="Reader 1, Reader 2 …")  # type: ignore[assignment]  # as above
    window = WindowSerializer(allow_null=True)
    said_first = FirstReadViewSerializer(allow_null=True)
    said_after_reveal = FirstReadViewSerializer(allow_null=True)
    step_ratings = StepRatingSerializer(many=True)
    region_annotations = RegionAnnotationSerializer(many=True)
    drawn_regions = DrawnRegionSerializer(many=True)
    missed_findings = MissedFindingSerializer(many=True)
    answer_ratings = AnswerRatingSerializer(many=True)
    votes = VoteSerializer(many=True)
    criterion_ratings = CriterionRatingSerializer(many=True)


class DisputedSerializer(serializers.Serializer[Any]):
    field = serializers.CharField(
        help_text="plausibility, verdict, a criterion of the answer, harm, or a vote's kind; empty for a "
        "question of the reader study's own"
    )
    criterion = serializers.UUIDField(allow_null=True)
    completion = serializers.UUIDField(allow_null=True)
    step = serializers.UUIDField(allow_null=True)
    region = serializers.UUIDField(allow_null=True)


class AdjudicationSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="third_reader or consensus")
    readings = EarlierReadingSerializer(many=True)
    disputed = DisputedSerializer(
        many=True, help_text="what needs a word; where nothing is disputed, everything does"
    )


class KnownRegionSerializer(serializers.Serializer[Any]):
    finding = serializers.CharField()
    box = serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4)


class KnownAnswerSerializer(serializers.Serializer[Any]):
    findings = serializers.ListField(child=serializers.CharField(), allow_null=True)
    regions = KnownRegionSerializer(many=True)
    choice = serializers.CharField()
    comment = serializers.CharField()


class FeedbackItemSerializer(serializers.Serializer[Any]):
    what = serializers.CharField()
    yours = serializers.CharField()
    known = serializers.CharField()
    agrees = serializers.BooleanField(allow_null=True, help_text="null where the two can't be compared")
    region = serializers.IntegerField(
        allow_null=True, help_text="place among the known answer's regions, from 0; null for all else"
    )


class FeedbackSerializer(serializers.Serializer[Any]):
    known_answer = KnownAnswerSerializer()
    items = FeedbackItemSerializer(many=True)


class LatestChangeSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    item = serializers.CharField(
        help_text="uid of the step, region, completion, finding or drawn region; a vote's kind; first or "
        "after_reveal; a criterion's uid and, after a colon, that of what it is asked of"
    )
    change_id = serializers.UUIDField()


class ClosedSerializer(serializers.Serializer[Any]):
    sentence = serializers.CharField()
    may_take = serializers.BooleanField(help_text="the pool's next case may be taken instead")


class PauseSerializer(serializers.Serializer[Any]):
    since = serializers.DateTimeField(allow_null=True)
    comfort = serializers.CharField(help_text="that nothing is lost, and who is asked when it goes on")


class ReadingSerializer(serializers.Serializer[Any]):
    uid = serializers.UUIDField()
    stage = serializers.ChoiceField(
        choices=[("first_read", "first read"), ("rating", "rating"), ("signed", "signed")]
    )
    reader_study = serializers.CharField()
    instructions = serializers.CharField()
    deadline = serializers.DateField(allow_null=True)
    pause = PauseSerializer(allow_null=True, help_text="of a reader study that is paused")
    is_training = serializers.BooleanField(help_text="what was right is told after the signature")
    case_label = serializers.CharField()
    position = serializers.IntegerField()
    num_cases = serializers.IntegerField(
        allow_null=True, help_text="null of a signed reading where no further case can be read now"
    )
    may_be_more_cases = serializers.BooleanField(help_text="of a pool that was not counted to its end")
    question = serializers.CharField()
    instance = ReadingFilmSerializer()
    films = CompanionFilmSerializer(many=True)
    first_read = FirstReadFormSerializer(allow_null=True)
    skips_first_read = serializers.BooleanField(help_text="other cases of the reader study ask one")
    completions = ReadingCompletionSerializer(many=True)
    criteria = CriterionSerializer(many=True)
    step_ratings = StepRatingSerializer(many=True)
    region_annotations = RegionAnnotationSerializer(many=True)
    answer_ratings = AnswerRatingSerializer(many=True)
    votes = VoteSerializer(many=True)
    missed_findings = MissedFindingSerializer(many=True)
    drawn_regions = DrawnRegionSerializer(many=True)
    criterion_ratings = CriterionRatingSerializer(many=True)
    is_adjudication = serializers.BooleanField()
    adjudication = AdjudicationSerializer(
        allow_null=True, help_text="null until the first read of an adjudication that asks one is locked"
    )
    feedback = FeedbackSerializer(allow_null=True)
    window = WindowSerializer(allow_null=True)
    measured_lines = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4),
        help_text="from x, y to x, y in film pixels, in their order",
    )
    active_seconds = serializers.IntegerField()
    missing = serializers.ListField(child=serializers.CharField())
    amends_signed_at = serializers.DateTimeField(
        allow_null=True, help_text="of an amendment: when the reading was signed that it amends"
    )
    amendment_reason = serializers.CharField()
    signed_at = serializers.DateTimeField(allow_null=True)
    saved_at = serializers.DateTimeField(allow_null=True)
    latest_changes = LatestChangeSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="the next case's page, null after the last")
    give_back = serializers.CharField(allow_null=True, help_text="to be posted, of a case held from a pool")
    amend = serializers.CharField(allow_null=True, help_text="the page that asks why, of a signed reading")
    closed = ClosedSerializer(
        allow_null=True, help_text="why nothing of it is kept now, unless it opens again"
    )


class ChangeAnswerSerializer(serializers.Serializer[Any]):
    change_id = serializers.UUIDField()
    saved_at = serializers.DateTimeField()
    missing = serializers.ListField(child=serializers.CharField())


class OnwardSerializer(serializers.Serializer[Any]):
    study = serializers.CharField()
    step = serializers.CharField(help_text="what the button says that goes there")
    address = serializers.CharField(help_text="to be posted; it leads to the case")


class EndingSerializer(serializers.Serializer[Any]):
    study = serializers.CharField(help_text="the title of the reader study that was read in")
    sentence = serializers.CharField()
    may_take = serializers.BooleanField(help_text="of a pool: there is a case to take")
    onward = OnwardSerializer(allow_null=True, help_text="another reader study with a case to read")


class SignAnswerSerializer(serializers.Serializer[Any]):
    signed_at = serializers.DateTimeField()
    next = serializers.CharField(allow_null=True, help_text="the next case's page, null after the last")
    ending = EndingSerializer(allow_null=True, help_text="how far the reader is, where no case follows")


class ReportSerializer(serializers.Serializer[Any]):
    change_id = serializers.UUIDField(help_text="made by the client; the same id again changes nothing")
    film = serializers.UUIDField(
        help_text="the film that shows a name: of the case, or one looked at beside it"
    )


class ReportAnswerSerializer(serializers.Serializer[Any]):
    reported_at = serializers.DateTimeField()
    closes_case = serializers.BooleanField(
        help_text="false where the film was another one that was looked at: the case goes on without it"
    )
    next = serializers.CharField(allow_null=True, help_text="the next case's page, null where none follows")
    ending = EndingSerializer(allow_null=True, help_text="how far the reader is, where no case follows")


class DiscardedSerializer(serializers.Serializer[Any]):
    amends = serializers.UUIDField(help_text="the signed reading, which stays as it is")


class OpenedSerializer(serializers.Serializer[Any]):
    opened_at = serializers.DateTimeField(allow_null=True)


class RefusalSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField()
    is_out_of_use = serializers.BooleanField(
        required=False,
        help_text="true where the case was taken out of use: nothing of it may stay on a screen",
    )
    is_over = serializers.BooleanField(
        required=False,
        help_text="true where the reader study is locked: what waits to be sent can never be kept",
    )
    is_closed = serializers.BooleanField(
        required=False,
        help_text="true where the case is closed to this reader: what waits can be kept if it opens again",
    )
    may_take = serializers.BooleanField(
        required=False, help_text="of a closed case: the pool's next one may be taken instead"
    )


class StoredChangeSerializer(serializers.Serializer[Any]):
    change_id = serializers.UUIDField()
    kind = serializers.CharField()
    payload = serializers.DictField()
    received_at = serializers.DateTimeField()


class ConflictSerializer(RefusalSerializer):
    stored = StoredChangeSerializer(
        required=False, help_text="what another window said of the same item, where that is the reason"
    )
