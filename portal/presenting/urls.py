"""Routes of the desk and of those who keep presenting in order."""

from django.urls import path

from portal.presenting import keeping, views

urlpatterns = [
    path("", views.scan, name="presenting-scan"),
    path("blocks/", keeping.block_list, name="presenting-blocks"),
    path("blocks/<uuid:uid>/lift/", keeping.block_lift, name="presenting-block-lift"),
    path("applications/", keeping.application_list, name="presenting-applications"),
    path("applications/<uuid:uid>/confirm/", keeping.application_confirm, name="presenting-application-confirm"),
    path("applications/<uuid:uid>/end/", keeping.application_end, name="presenting-application-end"),
    path("<uuid:uid>/", views.detail, name="presenting-detail"),
    path("<uuid:uid>/state/", views.state, name="presenting-state"),
    path("<uuid:uid>/read/", views.read, name="presenting-read"),
]
