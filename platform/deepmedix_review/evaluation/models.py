"""How good a model version is, measured on cases whose truth is known."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from deepmedix_review.common.models import LeasedJob, PublicModel
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Vote
from deepmedix_review.studies.models import CollectionVersion, Instance, Split, Study


class Benchmark(PublicModel):
    """A fixed set of held-out films: the same name, seed and size draw the same ones.

    Sealed films are the same for every candidate. Twins are drawn for one candidate when it comes before the
    gate, so that nobody can have learned from them. Canaries are films on which nothing can be found, or
    whose sides or patients are changed over. Patients are the site's own: those of the test side whose films
    readers had read when the candidate came; their films are in `patient_films`.
    """

    class Suite(models.TextChoices):
        SEALED = "sealed"
        CANARIES = "canaries"
        TWINS = "twins"
        PATIENTS = "patients"

    name = models.CharField(max_length=80, unique=True)
    first_seed = models.BigIntegerField()
    num_phantoms = models.PositiveIntegerField(help_text="films, drawn ones or of patients")
    num_patients = models.PositiveIntegerField(default=0, help_text="of the site's own, else 0")
    num_readings = models.PositiveIntegerField(
        default=0, help_text="signed ones that tell what is on the films"
    )
    num_readers = models.PositiveIntegerField(default=0)
    site = models.CharField(
        max_length=20, blank=True, help_text="a key of inference.phantoms.SITES; empty of patients"
    )
    suite = models.CharField(max_length=8, choices=Suite.choices, default=Suite.SEALED)
    drawn_for = models.ForeignKey(
        ModelVersion,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="the candidate that twins or patients are for; null for what every version is measured on",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(suite__in=("twins", "patients"), drawn_for__isnull=False)
                | (~Q(suite__in=("twins", "patients")) & Q(drawn_for__isnull=True)),
                name="twins_and_patients_are_for_one_candidate",
            ),
            models.UniqueConstraint(
                fields=["drawn_for"],
                condition=Q(suite="patients"),
                name="a_candidate_meets_its_sealed_patients_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def described(self) -> str:
        """For a person: which films these are. The name is for keys alone."""
        match self.suite:
            case self.Suite.CANARIES:
                return "canaries"
            case self.Suite.TWINS:
                return f"twins of the {self.site} site's films"
            case self.Suite.PATIENTS:
                return "sealed patients of this site"
            case _:
                return f"sealed films of the {self.site} site"


class Evaluation(LeasedJob):
    """One model version measured on one benchmark: figures, and the outcome case by case."""

    benchmark = models.ForeignKey(Benchmark, on_delete=models.PROTECT, related_name="evaluations")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="evaluations")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="who asked for its end, where a person did",
    )
    num_done = models.PositiveIntegerField(default=0, help_text="films whose answers are kept")
    figures = models.JSONField(default=dict, help_text="name of a figure to its mean and interval")
    cases = models.JSONField(default=list, help_text="per film: what was said, and how it scored")
    is_damaged = models.BooleanField(default=False, help_text="the version's files are no sound model")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["benchmark", "model_version"], name="one_evaluation_per_model_and_benchmark"
            ),
        ]


class PatientFilm(models.Model):
    """A film of a sealed patient, and what its readers had said of it when the candidate came."""

    benchmark = models.ForeignKey(Benchmark, on_delete=models.PROTECT, related_name="patient_films")
    film = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="+")
    reference = models.JSONField(help_text="rl_feedback.sealed_patients.Reference as JSON")
    num_harmed = models.PositiveSmallIntegerField(
        null=True, help_text="findings that the candidate lost or said in spite of readers, once compared"
    )
    moved = models.FloatField(null=True, help_text="how far all else of its two answers lies apart")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["benchmark", "film"], name="a_patients_film_is_measured_once"),
        ]


class PatientAnswer(models.Model):
    """What a version wrote of a sealed patient's film. It is scored when it is compared."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.PROTECT, related_name="patient_answers")
    of = models.ForeignKey(PatientFilm, on_delete=models.PROTECT, related_name="answers")
    text = models.TextField()
    model_width = models.PositiveIntegerField(help_text="of the image that the model saw")
    model_height = models.PositiveIntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["evaluation", "of"], name="one_answer_to_a_patients_film"),
        ]


class AnswerTimes(models.Model):
    """How many completions of a version took about how long in an hour: added up from the completions, so
    that a page reads a few hundred rows of a million completions. `bucket` is a place on the scale of
    `evaluation.answer_times`."""

    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    hour = models.DateTimeField(help_text="its beginning")
    bucket = models.PositiveSmallIntegerField()
    num_completions = models.PositiveIntegerField()
    num_tokens = models.PositiveBigIntegerField()
    seconds = models.FloatField(help_text="of all of them together")

    class Meta:
        verbose_name_plural = "answer times"
        constraints = [
            models.UniqueConstraint(
                fields=["model_version", "hour", "bucket"], name="an_hours_answers_are_counted_once"
            ),
        ]
        indexes = [models.Index(fields=["hour"])]


class ArenaRun(LeasedJob):
    """One judge, a language model, who compares what versions wrote of the same films; or experts' votes
    alone, where no judge is named.

    `plan` holds, round by round, the battles that were chosen; a round is chosen once all before it are
    judged, so that a run which stopped goes on as if it had not. Of recorded judgements it holds all.
    """

    class JudgedBy(models.TextChoices):
        """Who compares, beside experts."""

        SERVER = "server", "a language model on a model server"
        VERSION = "version", "a version in the worker's memory"
        RECORDED = "recorded", "judgements made elsewhere"
        EXPERTS = "experts", "nobody"

    title = models.CharField(max_length=120)
    versions = models.ManyToManyField(ModelVersion, related_name="arena_runs")
    judged_by = models.CharField(max_length=8, choices=JudgedBy.choices)
    judge_version = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")
    endpoint_url = models.CharField(max_length=500, blank=True)
    served_model = models.CharField(
        max_length=200, blank=True, help_text="the judge's name: at its server, or as it is told here"
    )
    key_name = models.CharField(max_length=200, blank=True)
    revision = models.CharField(max_length=100, blank=True, help_text="of the judge, as far as one knows")
    prompt_version = models.CharField(max_length=40)
    seed = models.PositiveIntegerField(default=1)
    random_share = models.FloatField(default=0.2, help_text="of the battles, drawn from all open ones alike")
    num_wanted = models.PositiveIntegerField(help_text="battles, each judged in both orders")
    limits = models.JSONField(default=dict, help_text="rl_feedback.evaluation.arena.Limits as JSON")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    plan = models.JSONField(default=list, help_text="keys of battles, a list for each round")
    num_judged = models.PositiveIntegerField(default=0, help_text="battles judged in both orders")
    board = models.JSONField(default=dict, help_text="rl_feedback.evaluation.arena.Arena as JSON")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(judged_by="server", judge_version=None)
                & ~Q(endpoint_url="")
                & ~Q(served_model="")
                | Q(judged_by="version", judge_version__isnull=False, endpoint_url="") & ~Q(served_model="")
                | Q(judged_by="recorded", judge_version=None, endpoint_url="") & ~Q(served_model="")
                | Q(judged_by="experts", judge_version=None, endpoint_url="", served_model=""),
                name="a_judge_is_asked_in_one_way",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def judge(self) -> str:
        """As the board calls it; empty where experts judge alone."""
        return f"{self.served_model} {self.revision}".strip()

    @property
    def has_judge(self) -> bool:
        """Whose verdicts stand beside experts' votes."""
        return self.judged_by != self.JudgedBy.EXPERTS

    @property
    def asks_judge(self) -> bool:
        """Battle by battle; what was recorded is all there from the start."""
        return self.judged_by in (self.JudgedBy.SERVER, self.JudgedBy.VERSION)

    @property
    def told_prompt(self) -> str:
        """The version of the question; empty where others asked in words that are not known here."""
        return self.prompt_version if self.asks_judge else ""


class Battle(PublicModel):
    """Two outputs on the same film and question, of different versions: the older row stands left."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    left = models.ForeignKey(Completion, on_delete=models.PROTECT, related_name="+")
    right = models.ForeignKey(Completion, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["left", "right"], name="one_battle_between_two_outputs"),
            models.CheckConstraint(condition=Q(left__lt=F("right")), name="the_older_output_stands_left"),
        ]


class Judgement(models.Model):
    """What a language model or an expert said of a battle, in one order: a verdict of either kind is a row
    here, and the board reads no other. An expert's is the vote of a signed reading."""

    class Kind(models.TextChoices):
        MODEL = "model"
        EXPERT = "expert"

    class Verdict(models.TextChoices):
        FIRST = "first"
        SECOND = "second"
        TIE = "tie"
        INVALID = "invalid"

    battle = models.ForeignKey(Battle, on_delete=models.PROTECT, related_name="judgements")
    is_left_first = models.BooleanField(help_text="whether the left output was met in the first place")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    verdict = models.CharField(max_length=7, choices=Verdict.choices)
    judged_at = models.DateTimeField(auto_now_add=True)
    # Of a language model.
    judge = models.CharField(max_length=310, blank=True)
    run = models.ForeignKey(ArenaRun, null=True, on_delete=models.PROTECT, related_name="judgements")
    key = models.CharField(max_length=64, blank=True, help_text="rl_feedback.evaluation.arena.key_of")
    criteria = models.JSONField(default=dict, help_text="by criterion: which is better, and why")
    text = models.TextField(blank=True, help_text="what the judge wrote")
    problem = models.TextField(blank=True, help_text="why it is no verdict, where it is none")
    num_requests = models.PositiveSmallIntegerField(default=0)
    num_prompt_tokens = models.PositiveIntegerField(default=0)
    num_tokens = models.PositiveIntegerField(default=0)
    # Of an expert.
    vote = models.OneToOneField(Vote, null=True, on_delete=models.PROTECT, related_name="judgement")
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(kind="model", vote=None, reader=None) & ~Q(key="") & Q(run__isnull=False))
                | Q(kind="expert", key="", run=None, vote__isnull=False, reader__isnull=False),
                name="a_judgement_is_of_a_model_or_of_an_expert",
            ),
            models.UniqueConstraint(
                fields=["battle", "is_left_first", "key"],
                condition=Q(kind="model"),
                name="a_judge_answers_a_question_once",
            ),
        ]
        indexes = [models.Index(fields=["key"], condition=Q(kind="model"), name="judgement_by_key")]


class MetricRun(LeasedJob):
    """What a version wrote of a collection's studies, measured against their references by
    `rl_feedback.evaluation`; another version may stand beside it, on the same films.

    `plan` names the outputs that are measured, chosen once: a run that stopped goes on with the same ones.
    """

    class Against(models.TextChoices):
        REPORT = "report", "findings and impression"
        FINDINGS = "findings", "findings"
        IMPRESSION = "impression", "impression"

    title = models.CharField(max_length=120)
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="metric_runs")
    beside = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")
    collection = models.ForeignKey(
        CollectionVersion, null=True, on_delete=models.SET_NULL, related_name="+", help_text="null: deleted"
    )
    collection_name = models.CharField(max_length=150, help_text="with its version, as it was called")
    side = models.CharField(max_length=5, choices=Split.choices, blank=True, help_text="empty: all sides")
    against = models.CharField(max_length=10, choices=Against.choices, default=Against.REPORT)
    query = models.TextField(blank=True, help_text="empty: the question that each version is usually asked")
    is_missing_wrong = models.BooleanField(default=False, help_text="a study without an output counts as 0")
    seed = models.PositiveIntegerField(default=7)
    judge = models.ForeignKey(
        ModelVersion,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="on a model server, for GREEN; null: GREEN is unavailable",
    )
    limits = models.JSONField(
        default=dict, help_text="of the judge: rl_feedback.evaluation.arena.Limits as JSON"
    )
    num_to_judge = models.PositiveIntegerField(default=0, help_text="reports, once it is known how many")
    num_judged = models.PositiveIntegerField(default=0)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    plan = models.JSONField(default=dict, help_text="evaluation.measuring.planning.Plan as JSON")
    num_steps = models.PositiveIntegerField(default=0, help_text="once it is known how many")
    num_done = models.PositiveIntegerField(default=0)
    result = models.TextField(blank=True, help_text="results.json, without texts, byte for byte")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(model_version=F("beside")), name="no_version_stands_beside_itself"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class MetricCase(models.Model):
    """Which study a case of a run's result is of: the result itself names it by number alone."""

    run = models.ForeignKey(MetricRun, on_delete=models.CASCADE, related_name="cases")
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "name"], name="one_study_for_each_name_in_a_result"),
        ]


class GreenAnswer(models.Model):
    """What a judge counted in one report against its reference, as numbers alone. A judge is asked about the
    same two texts once, whichever run asks."""

    run = models.ForeignKey(MetricRun, on_delete=models.CASCADE, related_name="green_answers")
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=64, db_index=True, help_text="reports.green_judge.key_of")
    counts = models.TextField(blank=True, help_text="as JSON; empty where it wrote rubbish at every try")
    num_requests = models.PositiveSmallIntegerField()
    num_prompt_tokens = models.PositiveIntegerField()
    num_tokens = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "key"], name="a_run_asks_its_judge_a_question_once"),
        ]
