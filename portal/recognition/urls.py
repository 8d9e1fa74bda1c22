"""Routes of mutual recognition."""

from django.urls import path

from portal.recognition import foreign, own, views

urlpatterns = [
    path("", views.node_list, name="recognition-list"),
    path("propose/", views.propose, name="recognition-propose"),
    path("card/", own.card, name="recognition-card"),
    path("card/file/", own.card_file, name="recognition-card-file"),
    path("rejected/", views.rejected_list, name="recognition-rejected"),
    path("nodes/<uuid:uid>/", views.node, name="recognition-node"),
    path("nodes/<uuid:uid>/endpoint/", views.endpoint, name="recognition-endpoint"),
    path("nodes/<uuid:uid>/again/", views.send_again, name="recognition-again"),
    path("nodes/<uuid:uid>/compare/", views.compare, name="recognition-compare"),
    path("keys/<uuid:uid>/confirm/", views.confirm, name="recognition-confirm"),
    path("keys/<uuid:uid>/revoke/", views.revoke, name="recognition-revoke"),
    path("differences/<uuid:uid>/", views.differences, name="recognition-differences"),
    path("differences/<uuid:uid>/export/", views.export, name="recognition-differences-export"),
    path("foreign/", foreign.foreign_list, name="recognition-foreign-list"),
    path("foreign/new/", foreign.fetch, name="recognition-foreign-new"),
    path("foreign/verify/", foreign.verify, name="recognition-foreign-verify"),
    path("foreign/<uuid:uid>/", foreign.detail, name="recognition-foreign-detail"),
]
