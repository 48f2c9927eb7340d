"""Which model versions there are, which one serves, and how each is asked, run and read."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import Case, QuerySet, When

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.common.dates import say_moment
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.registry.models import ModelJob, ModelVersion
from deepmedix_review.registry.own_code import brings_code, code_refusal
from inference.dialects import Dialect
from inference.dialects.shapes import shape_of
from inference.engines import EndpointSettings, EngineError, EngineSettings
from inference.engines.addresses import require_allowed
from inference.grounding import ParsedCompletion, parse_completion
from inference.presets import LOOP_PRESETS, PRESETS
from inference.prompts import PromptTemplate, template
from inference.regions import Preparation

# As many signs as the list of versions shows.
SHORT_SHA256 = 12
*_most, _last = LOOP_PRESETS
TRAINED_PRESETS = f"{', '.join(_most)} or {_last}"


def find_serving_model() -> ModelVersion | None:
    return ModelVersion.objects.filter(state=ModelVersion.State.SERVING).first()


def serving_model() -> ModelVersion:
    """The one version that answers. Raises RefusedByRule where none serves yet."""
    version = find_serving_model()
    if version is None:
        raise RefusedByRule(
            "No model serves yet. Run `manage.py register_shipped_model`, or promote a version."
        )
    return version


def find_former_model() -> ModelVersion | None:
    """The version that served last before the one that serves, whatever it was trained from. One that was
    rolled back from is none: it serves again by a signature only, as any other."""
    served = ModelVersion.objects.filter(
        state=ModelVersion.State.RETIRED, promoted_at__isnull=False, returned_from_at__isnull=True
    )
    return served.order_by("-promoted_at").first()


def former_model() -> ModelVersion:
    """The version that a roll-back lets serve again. Raises RefusedByRule where there is none."""
    former = find_former_model()
    if former is None:
        raise RefusedByRule("No other version served before, so there is none to go back to.")
    return former


def versions() -> QuerySet[ModelVersion]:
    """Newest first, each with its parent."""
    return ModelVersion.objects.select_related("parent").order_by("-number")


def askable_versions() -> QuerySet[ModelVersion]:
    """Those that hold more than what was recorded elsewhere: the one that serves first, then the newest."""
    askable = versions().exclude(source=ModelVersion.Source.RECORDED)
    is_serving = Case(When(state=ModelVersion.State.SERVING, then=0), default=1)
    return askable.order_by(is_serving, "-number")


@dataclass(frozen=True)
class Apart:
    """What tells a version from others of its name: the beginning of its sha256, and beyond that the frame in
    which it is read, or when it was registered, where the same files were registered twice."""

    sha256: str
    beyond: str = ""

    def __str__(self) -> str:
        return f"{self.sha256}, {self.beyond}" if self.beyond else self.sha256


def tell_apart(shown: Iterable[ModelVersion]) -> dict[int, Apart]:
    """By primary key, of each of these whose name other versions bear too, shown here or not."""
    shown = list(shown)
    alike: dict[str, list[tuple[str, str]]] = defaultdict(list)
    named = ModelVersion.objects.order_by().filter(name__in={one.name for one in shown})
    for name, sha256, frame in named.values_list("name", "sha256", "box_frame"):
        alike[name].append((sha256, frame))
    said = {}
    for one in shown:
        others, beyond = alike[one.name], ""
        if len(others) < 2:
            continue
        if sum(sha256 == one.sha256 for sha256, _ in others) > 1:
            is_alone = others.count((one.sha256, one.box_frame)) == 1
            beyond = f"frame {one.box_frame}" if is_alone else f"registered {say_moment(one.created_at)}"
        said[one.pk] = Apart(one.sha256[:SHORT_SHA256], beyond)
    return said


def version_for(user: User, uid: UUID) -> ModelVersion:
    """Raises NotYours, or DoesNotExist."""
    require(user, Capability.VIEW_MODELS)
    return ModelVersion.objects.select_related("parent").get(uid=uid)


def model_names() -> frozenset[str]:
    """Every name that a version here has, or that a preset gives: what an output may call itself by."""
    named = set(ModelVersion.objects.order_by().values_list("name", flat=True).distinct())
    return frozenset(named | {preset.name for preset in PRESETS.values()})


def lineage(version: ModelVersion) -> list[ModelVersion]:
    """The version, its parent, and so on to the one that was registered from outside.

    It ends: the database holds that a parent was registered before its child.
    """
    line = [version]
    while line[-1].parent is not None:
        line.append(line[-1].parent)
    return line


def prompt_of(version: ModelVersion) -> PromptTemplate:
    """How it is asked. Raises RefusedByRule where the words have changed since it was registered: what it
    said and what it would say now can't be compared."""
    require_askable(version)
    prompt = template(version.prompt_template)
    if prompt.version != version.prompt_version:
        raise RefusedByRule(
            f"{version} was registered with version {version.prompt_version} of the prompt {prompt.key}, and "
            f"this release asks with version {prompt.version}. Register its model again to ask it so."
        )
    return prompt


def require_askable(version: ModelVersion) -> None:
    """Raises RefusedByRule for one that only holds what was recorded elsewhere, and for one whose own code
    nobody has allowed."""
    if version.source == ModelVersion.Source.RECORDED:
        raise RefusedByRule(
            f"{version} holds completions that were recorded elsewhere, so it can't be asked and can't serve."
            " Import more of them, or register the model itself."
        )
    if refusal := code_refusal(version):
        raise RefusedByRule(refusal)


def unreachable_because(version: ModelVersion) -> str:
    """Why it can't be asked, as far as is known without asking it, and the way out; empty where it can."""
    try:
        prompt_of(version)
        if version.source == ModelVersion.Source.ENDPOINT:
            require_allowed(version.endpoint_url, origins=settings.INFERENCE_ENDPOINTS, this_machine=False)
            engine_settings(version)
    except (RefusedByRule, EngineError) as error:
        return str(error)
    if version.source == ModelVersion.Source.FOLDER:
        if Path(version.folder).is_dir():
            return ""
        return f"The folder of {version} is not here any more. Restore its files first."
    asked = latest_job(version, ModelJob.Kind.ASK)
    if asked is None or asked.state != JobState.FAILED:
        return ""
    return f"{version} did not answer when it was last asked: {asked.error} Ask it once, until it answers."


def read_by(version: ModelVersion, text: str, *, question: str | None = None) -> ParsedCompletion:
    """What it wrote, read in the way in which it writes; `question` as `parse_completion` takes it."""
    reasons = template(version.prompt_template).reasons
    return parse_completion(text, reasons=reasons, dialect=Dialect(version.dialect), question=question)


def training_refusal(version: ModelVersion) -> str:
    """Why nothing can be trained from this version; empty where it can."""
    if version.source != ModelVersion.Source.FOLDER:
        return (
            f"{version} can't be trained here: its weights are not. Register its folder, or let a version "
            "that lies here serve."
        )
    if version.preset in LOOP_PRESETS:
        return ""
    return (
        f"{version} can't be trained here: it is asked and read as {version.preset}, whose outputs are "
        f"written as {version.dialect}. What learns here writes as {Dialect.DEEPMEDIX}, of Qwen2.5-VL's "
        f"class: let a version of {TRAINED_PRESETS} serve."
    )


def model_jobs(*, kind: ModelJob.Kind) -> Sequence[ModelJob]:
    """The latest twenty, newest first."""
    found = ModelJob.objects.filter(kind=kind).select_related("version", "requested_by").order_by("-pk")
    return list(found[:20])


def model_job_for(user: User, uid: UUID) -> ModelJob:
    """Raises NotYours, or DoesNotExist."""
    require(user, Capability.VIEW_MODELS)
    return ModelJob.objects.select_related("version").get(uid=uid)


def num_at_once(version: ModelVersion) -> int:
    """Requests that its engine answers together."""
    if takes_more(version):
        return settings.INFERENCE_IN_FLIGHT
    return settings.INFERENCE_MICRO_BATCH


def takes_more(version: ModelVersion) -> bool:
    """Whether its engine takes further requests while it answers others."""
    return version.source == ModelVersion.Source.ENDPOINT


def engine_settings(version: ModelVersion) -> EngineSettings | EndpointSettings:
    """How `inference.engines.load_engine` loads this version, which checks that its files are unchanged, or
    asks its server. Raises RefusedByRule where the server's key is not there."""
    require_askable(version)
    if version.source == ModelVersion.Source.ENDPOINT:
        return _endpoint_settings(version)
    return folder_settings(version)


def folder_settings(version: ModelVersion) -> EngineSettings:
    """Raises RefusedByRule where its weights are not here."""
    if version.source != ModelVersion.Source.FOLDER:
        raise RefusedByRule(f"The weights of {version} are not here: it is of the kind {version.source}.")
    if refusal := code_refusal(version):
        raise RefusedByRule(refusal)
    return EngineSettings(
        folder=Path(version.folder),
        sha256=version.sha256,
        runs_own_code=brings_code(version),
        size_multiple=version.size_multiple,
        min_pixels=version.min_pixels,
        max_pixels=version.max_pixels,
        preparation=Preparation(version.image_preparation),
        micro_batch=settings.INFERENCE_MICRO_BATCH,
        device=settings.INFERENCE_DEVICE,
        dtype=settings.INFERENCE_DTYPE,
    )


def key_names() -> list[str]:
    """The key files that an operator has laid down, as SERVER/NAME; never what is in them."""
    folder = Path(settings.ENDPOINT_KEY_FOLDER)
    files = (path for path in folder.glob("*/*") if path.is_file() and not path.name.startswith("."))
    return sorted(f"{path.parent.name}/{path.name}" for path in files)


def latest_job(version: ModelVersion, kind: ModelJob.Kind) -> ModelJob | None:
    return ModelJob.objects.filter(version=version, kind=kind).order_by("-pk").first()


def _endpoint_settings(version: ModelVersion) -> EndpointSettings:
    prompt = prompt_of(version)
    return EndpointSettings(
        url=version.endpoint_url,
        served_model=version.served_model,
        origins=frozenset(settings.INFERENCE_ENDPOINTS),
        allows_this_machine=False,
        key=_key(version),
        key_name=f"the key file {version.key_name}" if version.key_name else "it: it has none",
        min_pixels=version.min_pixels,
        max_pixels=version.max_pixels,
        preparation=Preparation(version.image_preparation),
        size_multiple=version.size_multiple,
        num_in_flight=settings.INFERENCE_IN_FLIGHT,
        shape=shape_of(prompt.key, dialect=Dialect(version.dialect), reasons=prompt.reasons),
    )


def _key(version: ModelVersion) -> str:
    return key_in(version.key_name, of=str(version))


def key_in(key_name: str, *, of: str) -> str:
    """What a key file holds, empty where none is named. Raises RefusedByRule where it is not there; `of` says
    whose it is."""
    if not key_name:
        return ""
    try:
        key = (Path(settings.ENDPOINT_KEY_FOLDER) / key_name).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        key = ""
    if not key or not key.isascii() or not key.isprintable():
        raise RefusedByRule(
            f"The key file {key_name} of {of} is missing, or holds no key of one line. Whoever runs this "
            "installation lays it into ENDPOINT_KEY_FOLDER."
        )
    return key
