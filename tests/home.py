"""Where the tests keep their state: settled before Django reads its settings (pytest loads this by `-p`)."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("DEEPMEDIX_HOME", str(ROOT / "var" / "test"))

# Compiled code is kept, whatever this machine's habit: each of the few hundred processes that tests start
# would compile all that it imports, 4 s of processor time for one that trains.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Before numpy is loaded, here and in every process that tests start: threads of linear algebra spin while
# they wait, on cores where others work. On two busy ones, 30 matrices of 100 x 100 took 25 s, not 0.1 s.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

from deepmedix_review.config import postgres  # noqa: E402
from deepmedix_review.config.embedded import DATABASE, redis_url  # noqa: E402
from deepmedix_review.config.home import home_folder  # noqa: E402

HOME = home_folder()
# Never a database from outside: the tests make, fill and drop their own.
os.environ["DATABASE_URL"] = postgres.database_url(postgres.cluster_in(HOME), name=DATABASE)
os.environ["REDIS_URL"] = redis_url(HOME)
# Names patients, and so deals their sides: those of the road are learned from.
os.environ["DEIDENTIFICATION_KEY"] = "of the tests"
# Jobs of killed workers come back within seconds.
os.environ.setdefault("LEASE_SECONDS", "10")
os.environ.setdefault("RECONCILE_SECONDS", "1")
# Drawn films are small.
os.environ.setdefault("SMALLEST_FILM_SIDE", "32")
# The gate's road is tested with few films; its figures are tested by themselves.
os.environ.setdefault("GATE_NUM_PHANTOMS", "4")
os.environ["HF_HUB_OFFLINE"] = "1"
# Playwright's synchronous interface runs an event loop in the thread of the test.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
