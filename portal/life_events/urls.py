"""Routes of life events."""

from django.urls import path

from portal.life_events import views

urlpatterns = [
    path("", views.notice_list, name="life-event-list"),
    path("<uuid:uid>/acknowledge/", views.acknowledge, name="life-event-acknowledge"),
    path("subscriptions/", views.subscription_list, name="life-event-subscriptions"),
    path("subscriptions/<uuid:uid>/end/", views.unsubscribe, name="life-event-unsubscribe"),
]
