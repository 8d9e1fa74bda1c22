"""Routes of remarks and attachments."""

from django.urls import path

from portal.remarks import views

urlpatterns = [
    path("requests/<uuid:uid>/remarks/", views.remark, name="request-remark"),
    path("requests/<uuid:uid>/attachments/", views.attach, name="request-attach"),
    path("attachments/<uuid:uid>/", views.download, name="attachment-download"),
    path("attachments/<uuid:uid>/remove/", views.remove, name="attachment-remove"),
    path("attachments/<uuid:uid>/redact/", views.redact, name="attachment-redact"),
]
