from deepmedix_review.config.celery import app as celery_app

__all__ = ["celery_app"]
