"""How a reader study is built: its cases, its questions, its readers, and who reads what in which order."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from deepmedix_review.common.models import PublicModel
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models.criteria import Criterion
from deepmedix_review.studies.models import CollectionVersion, Split, Study

SHARE = [MinValueValidator(0.0), MaxValueValidator(1.0)]


def _is_share(field: str) -> Q:
    return Q(**{f"{field}__gte": 0.0, f"{field}__lte": 1.0})


class ReaderStudy(PublicModel):
    """A set of cases and the readers who read them, blinded to the model, by a design drawn by seed."""

    class State(models.TextChoices):
        DRAFT = "draft"
        RUNNING = "running"
        PAUSED = "paused"
        LOCKED = "locked"

    class Design(models.TextChoices):
        EVERY_READER = "every_reader", "every reader reads all"
        K_READERS = "k_readers", "k readers per case"
        SPLIT_PLOT = "split_plot", "split-plot"
        ANCHOR_ROTATION = "anchor_rotation", "anchor plus rotation"

    class Shows(models.TextChoices):
        ONE = "one", "one completion"
        TWO_SAMPLES = "two_samples", "two completions of one model version"
        TWO_VERSIONS = "two_versions", "one completion of each of two model versions"
        ONE_OF_TWO = "one_of_two", "one completion of either of two model versions"

    class FirstReads(models.TextChoices):
        OFF = "off", "off"
        ON = "on", "every case"
        SHARE = "share", "a random share"

    class Adjudication(models.TextChoices):
        OFF = "off", "none"
        THIRD_READER = "third_reader", "a third reader"
        CONSENSUS = "consensus", "a consensus reading"

    title = models.CharField(max_length=120)
    is_demo = models.BooleanField(
        default=False, editable=False, help_text="made by load_demo: its readings are tried out, not read"
    )
    instructions = models.TextField(blank=True, help_text="shown to every reader before the first case")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=7, choices=State.choices, default=State.RUNNING)
    locked_at = models.DateTimeField(null=True)
    deadline = models.DateField(null=True)
    hides_results = models.BooleanField(
        default=False, help_text="nobody of the staff sees ratings before the study is locked"
    )
    shows = models.CharField(max_length=12, choices=Shows.choices, default=Shows.TWO_SAMPLES)
    model_version = models.ForeignKey(
        ModelVersion,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="whose completions are read; None is the serving one at the start",
    )
    other_version = models.ForeignKey(
        ModelVersion, null=True, on_delete=models.PROTECT, related_name="+", help_text="of two versions"
    )
    collection_version = models.ForeignKey(
        CollectionVersion,
        null=True,
        on_delete=models.PROTECT,
        related_name="reader_studies",
        help_text="from which its cases were taken; None where they were chosen otherwise",
    )
    collection_split = models.CharField(
        max_length=5, blank=True, choices=Split.choices, help_text="empty: of every side"
    )
    collection_most = models.PositiveIntegerField(
        null=True, help_text="so many of them, drawn by the seed; None takes all"
    )
    leaves_out_same = models.BooleanField(
        default=False, help_text="pairs of outputs that say the same are no cases"
    )
    num_same_left_out = models.PositiveIntegerField(
        null=True, help_text="how many such pairs; None where none are left out, or nobody counted"
    )
    seed = models.PositiveIntegerField(default=1, help_text="draws order, sides, shares and blocks")
    design = models.CharField(max_length=16, choices=Design.choices, default=Design.EVERY_READER)
    readers_per_case = models.PositiveSmallIntegerField(
        null=True, help_text="k; None where every reader reads all"
    )
    is_pool = models.BooleanField(
        default=False, help_text="readers take the next free case under a lease; nothing is assigned ahead"
    )
    lease_minutes = models.PositiveSmallIntegerField(default=120)
    num_blocks = models.PositiveSmallIntegerField(
        default=1, help_text="of cases and readers, split-plot alone"
    )
    num_anchor_cases = models.PositiveSmallIntegerField(default=0, help_text="read by every reader")
    first_reads = models.CharField(max_length=5, choices=FirstReads.choices, default=FirstReads.OFF)
    first_read_share = models.FloatField(default=0.0, validators=SHARE)
    first_read_choices = models.JSONField(
        default=list, blank=True, help_text="answers to choose from; empty, the findings and an impression"
    )
    repeat_share = models.FloatField(default=0.0, validators=SHARE)
    washout_days = models.PositiveSmallIntegerField(default=0)
    washout_cases = models.PositiveSmallIntegerField(default=0)
    control_share = models.FloatField(
        default=0.0, validators=SHARE, help_text="of the chosen cases; they show an altered completion"
    )
    adjudication = models.CharField(max_length=12, choices=Adjudication.choices, default=Adjudication.OFF)
    adjudication_points = models.FloatField(
        default=2.0, help_text="readers whose ratings of one item lie this far apart are adjudicated"
    )
    criteria = models.ManyToManyField(
        Criterion, through="ReaderStudyCriterion", related_name="reader_studies"
    )

    class Meta:
        verbose_name_plural = "reader studies"
        constraints = [
            models.CheckConstraint(
                condition=_is_share("first_read_share")
                & _is_share("repeat_share")
                & _is_share("control_share"),
                name="shares_are_zero_to_one",
            ),
            models.CheckConstraint(
                condition=Q(collection_version__isnull=False)
                | Q(collection_split="", collection_most__isnull=True),
                name="only_of_a_collection_is_a_side_taken",
            ),
            models.UniqueConstraint(fields=["is_demo"], condition=Q(is_demo=True), name="there_is_one_demo"),
        ]

    def __str__(self) -> str:
        return self.title


class ReaderStudyCriterion(models.Model):
    """A version of a criterion that a reader study asks, in which place, and whether it must be answered."""

    reader_study = models.ForeignKey(ReaderStudy, on_delete=models.CASCADE, related_name="asked")
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="asked")
    position = models.PositiveSmallIntegerField()
    is_required = models.BooleanField(default=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["reader_study", "criterion"], name="a_criterion_is_asked_once")
        ]


class Invitation(PublicModel):
    """A reader of a reader study: asked, accepted or declined, and until when."""

    class State(models.TextChoices):
        INVITED = "invited"
        ACCEPTED = "accepted"
        DECLINED = "declined"
        REMOVED = "removed"

    reader_study = models.ForeignKey(ReaderStudy, on_delete=models.CASCADE, related_name="invitations")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="invitations")
    state = models.CharField(max_length=8, choices=State.choices, default=State.INVITED)
    block = models.PositiveSmallIntegerField(default=0, help_text="split-plot: 0, 1 …")
    deadline = models.DateField(null=True, help_text="of this reader; None is the reader study's")
    answered_at = models.DateTimeField(null=True)
    # Kept by triggers, so that no worklist counts all that a reader ever had.
    num_assigned = models.PositiveIntegerField(default=0, editable=False)
    num_signed = models.PositiveIntegerField(default=0, editable=False)
    num_opened = models.PositiveIntegerField(
        default=0, editable=False, help_text="cases that the reader came to; gives each its number"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reader_study", "reader"], name="a_reader_is_invited_once")
        ]


class Case(PublicModel):
    """One study with one or two completions to be read.

    Only `data` cases are data: the others teach a reader, or test one, and no export or training takes them.
    """

    class Role(models.TextChoices):
        DATA = "data"
        TRAINING = "training"
        CALIBRATION = "calibration"
        CONTROL = "control"

    reader_study = models.ForeignKey(ReaderStudy, on_delete=models.CASCADE, related_name="cases")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="cases")
    # All that was drawn for the case, a control's altered completion too.
    completions = models.ManyToManyField(Completion, related_name="cases")
    position = models.PositiveIntegerField()
    role = models.CharField(max_length=11, choices=Role.choices, default=Role.DATA)
    block = models.PositiveSmallIntegerField(default=0, help_text="split-plot: 0, 1 …")
    is_anchor = models.BooleanField(default=False, help_text="every reader reads it, whatever the design")
    num_free = models.PositiveSmallIntegerField(
        default=0, help_text="of a pool: how many more readers may take it now"
    )
    known_answer = models.JSONField(
        null=True, help_text="what a training, calibration or control case's reader should have said"
    )

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["reader_study", "position"], name="one_case_per_position")
        ]
        indexes = [
            models.Index(
                fields=["reader_study", "position"], condition=Q(num_free__gt=0), name="free_cases_of_a_pool"
            ),
            models.Index(
                fields=["reader_study", "position"],
                condition=Q(role__in=("training", "calibration")),
                name="taught_cases",
            ),
        ]

    @property
    def tells_its_answer(self) -> bool:
        """Whether its reader is shown, with the signature, what is known of it."""
        return self.role in (self.Role.TRAINING, self.Role.CALIBRATION) and bool(self.known_answer)


class Assignment(PublicModel):
    """A case that a reader is to read. `position` is its place in the reader's own order."""

    class Kind(models.TextChoices):
        FIRST = "first", "first reading"
        REPEAT = "repeat", "hidden repeat"
        ADJUDICATION = "adjudication"

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="assignments")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.FIRST)
    position = models.PositiveIntegerField(default=0)
    repeat_of = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="repeat")
    available_at = models.DateTimeField(
        null=True, help_text="a repeat waits until its washout is over; None for a repeat not yet due"
    )
    lease_expires_at = models.DateTimeField(
        null=True, help_text="of a case taken from a pool; after it another reader may take the case"
    )
    withdrawn_at = models.DateTimeField(
        null=True, help_text="taken off the reader's worklist before it was signed"
    )
    asks_everything = models.BooleanField(
        default=False,
        help_text="of an adjudication: a signed word is in doubt, so what is not disputed is asked too",
    )
    doubts = models.ManyToManyField(
        Criterion,
        related_name="+",
        help_text="of an adjudication: the findings in doubt of which it is asked",
    )
    signed_at = models.DateTimeField(
        null=True, editable=False, help_text="of its first signed reading; kept by a trigger"
    )
    number = models.PositiveIntegerField(
        null=True, editable=False, help_text="which case of its study it was to its reader, once opened"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "reader", "kind"], name="one_assignment_per_reader_case_and_kind"
            ),
            models.CheckConstraint(
                condition=Q(kind="repeat", repeat_of__isnull=False) | (~Q(kind="repeat") & Q(repeat_of=None)),
                name="a_repeat_names_what_it_repeats",
            ),
            models.CheckConstraint(condition=~Q(repeat_of=F("id")), name="no_assignment_repeats_itself"),
        ]
        indexes = [
            models.Index(
                fields=["reader", "id"],
                condition=Q(signed_at__isnull=True, withdrawn_at__isnull=True),
                name="open_assignments_of_a_reader",
            ),
            models.Index(
                fields=["reader", "id"],
                condition=Q(signed_at__isnull=False),
                name="signed_assignments",
            ),
            models.Index(
                fields=["lease_expires_at"], condition=Q(lease_expires_at__isnull=False), name="leases_by_end"
            ),
            models.Index(
                fields=["reader"], condition=Q(lease_expires_at__isnull=False), name="leases_of_a_reader"
            ),
            models.Index(
                fields=["reader"], condition=Q(kind="adjudication"), name="adjudications_of_a_reader"
            ),
        ]

    @property
    def label(self) -> str:
        """What the reader sees. A repeat, and the same film in another study, has another one."""
        return f"C-{self.uid.hex[:8]}"
