"""Where the page of a running reader study is, who looks at it, and who reads there."""

from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.models import ReaderStudy


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def detail(study: ReaderStudy) -> str:
    return reverse("reader-study-detail", args=[study.uid])


def address(study: ReaderStudy, word: str) -> str:
    return reverse(f"reader-study-{word}", args=[study.uid])


def readers_of(study: ReaderStudy) -> list[User]:
    return [row.reader for row in study.invitations.select_related("reader").order_by("pk")]
