"""The Celery application: `celery -A deepmedix_review.config worker`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepmedix_review.config.settings")

app = Celery("deepmedix_review")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
