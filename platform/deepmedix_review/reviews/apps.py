from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "deepmedix_review.reviews"
