"""Routes of the holder's side of missing licenses."""

from django.urls import path

from portal.missing_licenses import holder

urlpatterns = [
    path("", holder.report, name="holder-missing"),
    path("<uuid:uid>/withdraw/", holder.withdraw, name="holder-missing-withdraw"),
]
