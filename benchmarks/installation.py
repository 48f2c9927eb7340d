"""A private installation for the length of a benchmark: its own home, database and settings."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def private_installation(*, has_redis: bool = False) -> Iterator[Path]:
    """The home folder of an empty, migrated installation on a durable PostgreSQL, with a Redis of its own
    where workers are called. One per process."""
    with tempfile.TemporaryDirectory(prefix="deepmedix-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        os.environ["DEEPMEDIX_HOME"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepmedix_review.config.settings")
        os.environ["LOG_LEVEL"] = "WARNING"
        for name in ("DATABASE_URL", "REDIS_URL"):
            os.environ.pop(name, None)
        from deepmedix_review.config import postgres, redis_server
        from deepmedix_review.config.embedded import redis_url
        from deepmedix_review.config.processes import stop

        cluster = postgres.cluster_in(home)
        postgres.start(cluster, leashed=True)
        postgres.ensure_database(cluster, name="benchmark")
        os.environ["DATABASE_URL"] = postgres.database_url(cluster, name="benchmark")
        redis = None
        if has_redis:
            redis = redis_server.start(home, death_signal=signal.SIGTERM)
            os.environ["REDIS_URL"] = redis_url(home)
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        call_command("migrate", verbosity=0)
        try:
            yield home
        finally:
            connections.close_all()
            if redis is not None:
                stop(redis, patience_seconds=10)
            postgres.stop(cluster)
