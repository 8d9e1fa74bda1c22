"""Routes of matters."""

from django.urls import path

from portal.matters import desk, editing, views

urlpatterns = [
    path("", views.matter_list, name="matter-list"),
    path("new/", editing.new, name="matter-new"),
    path("figures/", views.figures_page, name="matter-figures"),
    path("desk/", desk.choose, name="matter-case-desk"),
    path("desk/<str:code>/", desk.case, name="matter-case-new"),
    path("cases/", desk.case_list, name="matter-case-list"),
    path("cases/<uuid:uid>/", desk.case_detail, name="matter-case-detail"),
    path("<uuid:uid>/", views.detail, name="matter-detail"),
    path("<uuid:uid>/ask/<slug:code>/", views.ask, name="matter-ask"),
    path("<uuid:uid>/decide/", views.decide, name="matter-decide"),
    path("<uuid:uid>/submit/", views.submit, name="matter-submit"),
    path("<uuid:uid>/retire/", views.retire, name="matter-retire"),
    path("<uuid:uid>/next/", editing.next_version, name="matter-next"),
    path("<uuid:uid>/edit/", editing.edit, name="matter-edit"),
    path("<uuid:uid>/parties/new/", editing.party, name="matter-party"),
    path("<uuid:uid>/parties/<slug:role>/remove/", editing.remove_party, name="matter-party-remove"),
    path("<uuid:uid>/materials/new/", editing.material, name="matter-material"),
    path("<uuid:uid>/materials/<slug:code>/remove/", editing.remove_material, name="matter-material-remove"),
]
