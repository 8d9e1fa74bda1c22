"""Routes of the issuing desk."""

from django.urls import path

from portal.license_desk import batches, drafts, licenses, review

urlpatterns = [
    path("", licenses.license_list, name="license-list"),
    path("find/", licenses.find, name="license-find"),
    path("differences/", licenses.differences, name="license-differences"),
    path("review/", review.marked, name="license-review"),
    path("desk/", drafts.desk, name="license-desk"),
    path("drafts/new/", drafts.choose_type, name="license-draft-types"),
    path("drafts/new/<slug:code>/", drafts.new, name="license-draft-new"),
    path("drafts/<uuid:uid>/", drafts.detail, name="license-draft"),
    path("drafts/<uuid:uid>/edit/", drafts.edit, name="license-draft-edit"),
    path("batches/", batches.batch_list, name="license-batch-list"),
    path("batches/new/", batches.new, name="license-batch-new"),
    path("batches/template/<slug:code>/", batches.template, name="license-batch-template"),
    path("batches/<uuid:uid>/", batches.detail, name="license-batch"),
    path("batches/<uuid:uid>/progress/", batches.progress, name="license-batch-progress"),
    path("batches/<uuid:uid>/refused/", batches.refused, name="license-batch-refused"),
    path("feeds/<slug:code>/open/", batches.open_feed, name="license-feed-open"),
    path("feeds/<int:number>/close/", batches.close_feed, name="license-feed-close"),
    path("<uuid:uid>/", licenses.detail, name="license-detail"),
    path("<uuid:uid>/next/<slug:kind>/", drafts.next_version, name="license-next"),
    path("<uuid:uid>/change/<slug:change>/", licenses.change, name="license-change"),
    path("<uuid:uid>/paper/<slug:act>/", licenses.paper, name="license-paper"),
]
