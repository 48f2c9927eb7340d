"""Every setting of the platform, read once from the environment.

Nothing here starts a server: `config.embedded` does that where no DATABASE_URL is given.
"""

import os
from pathlib import Path

import dj_database_url
from csp.constants import NONCE, NONE, SELF

import inference
from deepmedix_review.config.home import home_folder, secret_from_home

PACKAGE = Path(__file__).resolve().parents[1]
HOME = home_folder()
DEBUG = os.environ.get("DEBUG", "") == "1"

SECRET_KEY = os.environ.get("SECRET_KEY") or secret_from_home("secret_key")
DEIDENTIFICATION_KEY = os.environ.get("DEIDENTIFICATION_KEY") or secret_from_home("deidentification_key")
AUDIT_KEY = os.environ.get("AUDIT_KEY") or secret_from_home("audit_key")

ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("CSRF_TRUSTED_ORIGINS", "").split(",") if o]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "deepmedix_review.common",
    "deepmedix_review.accounts",
    "deepmedix_review.audit",
    "deepmedix_review.studies",
    "deepmedix_review.registry",
    "deepmedix_review.reasoning",
    "deepmedix_review.reviews",
    "deepmedix_review.evaluation",
    "deepmedix_review.feedback",
    "deepmedix_review.exports",
    "deepmedix_review.webhooks",
    "deepmedix_review.erasure",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "csp.middleware.CSPMiddleware",
    "deepmedix_review.common.middleware.RefusalMiddleware",
]
ROOT_URLCONF = "deepmedix_review.config.urls"
WSGI_APPLICATION = "deepmedix_review.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "deepmedix_review.accounts.context.page",
            ],
        },
    }
]

DATABASES = {"default": dj_database_url.config(conn_max_age=60, conn_health_checks=True)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["deepmedix_review.accounts.backends.AccountBackend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT", HOME / "static"))
STATICFILES_DIRS = [PACKAGE / "static"]
VITE_MANIFEST = PACKAGE / "static" / "viewer" / ".vite" / "manifest.json"
WHITENOISE_USE_FINDERS = True

# Where films, model folders and uploads in progress lie.
FILM_FOLDER = HOME / "films"
MODEL_FOLDER = HOME / "models"
UPLOAD_FOLDER = HOME / "uploads"
# Where transformers puts the code of a model that brings its own, before it runs it.
os.environ.setdefault("HF_MODULES_CACHE", str(HOME / "model-code"))
# Models that were trained elsewhere on a bundle from here are copied to this folder, a folder each.
RETURN_FOLDER = Path(os.environ.get("RETURN_FOLDER") or HOME / "returned")
# Models from outside that a researcher may register are copied to this folder, a folder each.
INCOMING_MODEL_FOLDER = Path(os.environ.get("INCOMING_MODEL_FOLDER") or HOME / "incoming-models")
# Scheme, host and port of each model server that films may be sent to, and a folder with a file for each key.
INFERENCE_ENDPOINTS = [
    one.strip() for one in os.environ.get("INFERENCE_ENDPOINTS", "").split(",") if one.strip()
]
ENDPOINT_KEY_FOLDER = Path(os.environ.get("ENDPOINT_KEY_FOLDER") or HOME / "secrets" / "endpoints")
# Archives of exports, and for how many days each can be fetched.
EXPORT_FOLDER = HOME / "exports"
EXPORT_DAYS = int(os.environ.get("EXPORT_DAYS", "30"))
# Archives that wait for a worker or for the rest of them, and for how many days one may be left so.
ARCHIVE_FOLDER = HOME / "archives"
ARCHIVE_DAYS = int(os.environ.get("ARCHIVE_DAYS", "7"))
# Messages over DICOMweb whose senders did not wait; and for how many hours what became of one can be asked.
MESSAGE_FOLDER = HOME / "messages"
MESSAGE_ANSWER_HOURS = int(os.environ.get("MESSAGE_ANSWER_HOURS", "24"))
FILE_UPLOAD_TEMP_DIR = str(UPLOAD_FOLDER)
SHIPPED_MODEL = Path(inference.__file__).resolve().parent / "shipped_model"
# "nginx" answers films by X-Accel-Redirect, "django" streams them itself.
FILM_SERVER = os.environ.get("FILM_SERVER", "django")

# By which profile films come in where nothing else is said; of messages over DICOMweb another may be named.
DEIDENTIFICATION_PROFILE = os.environ.get("DEIDENTIFICATION_PROFILE") or "keep-dates-shifted"
DICOMWEB_PROFILE = os.environ.get("DICOMWEB_PROFILE") or DEIDENTIFICATION_PROFILE
MAX_UPLOAD_BYTES = 2 * 1024**3  # of one request, all its files together
MAX_RECORDED_BYTES = 100 * 1024**2  # of a file of completions made elsewhere
MAX_SENT_PARTS = 2000  # of one message over DICOMweb
# Messages over DICOMweb that each process of the web server takes at once; what is more is asked to wait.
SENDERS_AT_ONCE = int(os.environ.get("SENDERS_AT_ONCE", "2"))
# Left messages that workers bring in at once: each keeps about one processor busy.
MESSAGES_AT_ONCE = int(os.environ.get("MESSAGES_AT_ONCE", "2"))
# Of `manage.py dicom_listener`, as they are written; it reads them and refuses what can't be.
DICOM_LISTENER = {
    "DICOM_AE_TITLE": os.environ.get("DICOM_AE_TITLE", "DEEPMEDIX"),
    "DICOM_HOST": os.environ.get("DICOM_HOST", "127.0.0.1"),
    "DICOM_PORT": os.environ.get("DICOM_PORT", "11112"),
    "DICOM_PEERS": os.environ.get("DICOM_PEERS", "127.0.0.0/8,::1"),
    "DICOM_CALLERS": os.environ.get("DICOM_CALLERS", ""),
    "DICOM_PROFILES": os.environ.get("DICOM_PROFILES", ""),
    "DICOM_MAX_ASSOCIATIONS": os.environ.get("DICOM_MAX_ASSOCIATIONS", "10"),
    "DICOM_MAX_PDU_BYTES": os.environ.get("DICOM_MAX_PDU_BYTES", "131072"),
    "DICOM_IDLE_SECONDS": os.environ.get("DICOM_IDLE_SECONDS", "60"),
}
# The file that names the PACS which films are pulled from; no other address is ever asked. For how many days
# a pull that failed can be tried again.
PACS_SOURCES = os.environ.get("PACS_SOURCES", "")
# Scheme, host and port of each place that may be told of events.
WEBHOOK_ORIGINS = [one.strip() for one in os.environ.get("WEBHOOK_ORIGINS", "").split(",") if one.strip()]
PULL_DAYS = int(os.environ.get("PULL_DAYS", "7"))
# Left to the database on the disk that films, archives and exports lie on: it writes its log ahead by 16 MB.
SPARE_DISK_BYTES = int(os.environ.get("SPARE_DISK_MB", "256")) * 1024**2
MAX_FILM_BYTES = 512 * 1024**2
MAX_FILM_PIXELS = 64 * 1024**2
# A film with fewer pixels a side is held for a decision.
SMALLEST_FILM_SIDE = int(os.environ.get("SMALLEST_FILM_SIDE", "256"))
# Of one zip or tar archive, unpacked: the largest parts that public data sets come in have a tenth of it.
MAX_ARCHIVE_FILES = 500_000
MAX_ARCHIVE_BYTES = 1024 * 1024**3
DECODER_MEMORY_BYTES = 2 * 1024**3
DECODER_SECONDS = 60
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024**2
FILE_UPLOAD_HANDLERS = ["deepmedix_review.studies.uploads.FilmUploadHandler"]

# The database row is the job: these say how long a worker may be silent, and how often a job is tried.
LEASE_SECONDS = int(os.environ.get("LEASE_SECONDS", "30"))
RECONCILE_SECONDS = int(os.environ.get("RECONCILE_SECONDS", "5"))
MAX_ATTEMPTS = 3
# The longest that one completion may take.
INFERENCE_SECONDS = int(os.environ.get("INFERENCE_SECONDS", "600"))
# What an inference worker has begun may go on so long once it is told to end; the rest is queued again.
DRAIN_SECONDS = int(os.environ.get("DRAIN_SECONDS", "60"))
# Completions that a worker has written at once: by a model in its memory, and by a model server.
INFERENCE_MICRO_BATCH = int(os.environ.get("INFERENCE_MICRO_BATCH", "8"))
INFERENCE_IN_FLIGHT = int(os.environ.get("INFERENCE_IN_FLIGHT", "16"))
# Where the models in a worker's memory compute, see inference.devices.
INFERENCE_DEVICE = os.environ.get("INFERENCE_DEVICE") or "auto"
INFERENCE_DTYPE = os.environ.get("INFERENCE_DTYPE") or "auto"
GATE_NUM_PHANTOMS = int(os.environ.get("GATE_NUM_PHANTOMS", "200"))

# A Ray cluster on which runs may learn: its job API, hosts beside this machine that it may be on, and storage
# that this machine and all its nodes see at the same place.
RAY_ADDRESS = os.environ.get("RAY_ADDRESS", "")
RAY_HOSTS = [host for host in os.environ.get("RAY_HOSTS", "").split(",") if host]
RAY_SHARED_FOLDER = Path(os.environ.get("RAY_SHARED_FOLDER") or HOME / "ray")

SESSION_ENGINE = "deepmedix_review.accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if os.environ.get("HTTPS", "") == "1":
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31536000

# 'wasm-unsafe-eval': without it compressed films stay silently blank in Cornerstone3D.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE, "'wasm-unsafe-eval'"],
        "worker-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # The first one says how to ask who asks as nobody: 401 and `WWW-Authenticate`.
        "deepmedix_review.accounts.token_authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "deepmedix_review.common.api.answer_exception",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "DeepMedix Review",
    "DESCRIPTION": "For research, not for diagnosis.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "VoteKind": "deepmedix_review.reviews.models.Vote.Kind",
        "CriterionKind": "deepmedix_review.reviews.models.Criterion.Kind",
        "Finding": "deepmedix_review.reviews.first_reads.CHEXPERT_FINDINGS",
        "VoteSide": "deepmedix_review.reviews.models.Vote.Side",
        "JobState": "deepmedix_review.common.models.JobState",
        "ArchiveState": "deepmedix_review.studies.models.ArchiveImport.State",
        "PullState": "deepmedix_review.studies.models.PacsPull.State",
        "PulledFilmOutcome": "deepmedix_review.studies.models.FilmToPull.Outcome",
        "Split": "deepmedix_review.studies.models.Split",
        "ErasureKind": "deepmedix_review.erasure.models.Erasure.Kind",
        "ErasureWhy": "deepmedix_review.erasure.models.Erasure.Why",
        "NamedUseKind": "deepmedix_review.erasure.models.NamedUse.Kind",
        "OddKind": "deepmedix_review.studies.deciding.serializers.KINDS",
        "RetentionOf": "deepmedix_review.studies.models.RetentionRule.Of",
    },
}

CELERY_BROKER_URL = os.environ.get("REDIS_URL") or "filesystem://"
if CELERY_BROKER_URL == "filesystem://":
    QUEUE_FOLDER = HOME / "queue"
    QUEUE_FOLDER.mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(QUEUE_FOLDER),
        "data_folder_out": str(QUEUE_FOLDER),
        "control_folder": str(QUEUE_FOLDER / "control"),
    }
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "io"
CELERY_TASK_ROUTES = {
    "deepmedix_review.reasoning.tasks.run_inference": {"queue": "inference"},
    "deepmedix_review.registry.tasks.check_model": {"queue": "inference"},
    "deepmedix_review.feedback.tasks.run_training": {"queue": "learning"},
    "deepmedix_review.feedback.handing_over.tasks.take_model_back": {"queue": "learning"},
    "deepmedix_review.evaluation.tasks.run_evaluation": {"queue": "learning"},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(HOME / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    name: {
        "task": f"deepmedix_review.{task}",
        "schedule": RECONCILE_SECONDS,
        # What no worker took in time is dropped: the next one does the same.
        "options": {"expires": 2 * RECONCILE_SECONDS},
    }
    for name, task in (
        ("tend-model-jobs", "registry.tasks.tend_model_jobs"),
        ("wake-inference", "reasoning.tasks.reconcile_inference"),
        ("wake-evaluation", "evaluation.tasks.reconcile_evaluations"),
        ("tend-answer-times", "evaluation.tasks.tend_answer_times"),
        ("wake-training", "feedback.tasks.reconcile_training"),
        ("tend-films", "studies.tasks.tend_films"),
        ("tend-archive-imports", "studies.tasks.tend_archive_imports"),
        ("tend-pacs-pulls", "studies.tasks.tend_pacs_pulls"),
        ("tend-sent-messages", "studies.tasks.tend_sent_messages"),
        ("tend-maskings", "studies.tasks.tend_maskings"),
        ("tend-reader-studies", "reviews.tasks.tend_reader_studies"),
        ("tend-exports", "exports.tasks.tend_exports"),
        ("tend-webhooks", "webhooks.tasks.tend_webhooks"),
        ("tend-erasures", "erasure.tasks.tend_erasures"),
    )
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    # It tells addresses, and one that searches a PACS holds what is searched for.
    "loggers": {"urllib3": {"level": "ERROR"}},
}
