"""The addresses of webhooks."""

from django.urls import path

from deepmedix_review.webhooks import views

page_urlpatterns = [
    path("webhooks/", views.list_webhooks, name="webhook-list"),
    path("webhooks/<uuid:uid>/", views.show_webhook, name="webhook-detail"),
    path("webhooks/<uuid:uid>/test/", views.test, name="webhook-test"),
    path("webhooks/<uuid:uid>/pause/", views.set_paused, name="webhook-pause"),
    path("webhooks/<uuid:uid>/delete/", views.delete, name="webhook-delete"),
    path("webhooks/<uuid:uid>/messages/<uuid:message>/again/", views.send_again, name="webhook-send-again"),
]
