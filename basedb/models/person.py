"""Population (人口库). Field names, standards, grades and masks stand in `basedb.dictionary`."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from basedb.models.source_record import MasterRow


class Person(MasterRow):
    """The current row of a person. `subject_key` is the key everywhere; the id number itself stays in this table."""

    citizen_id = models.CharField(_("公民身份号码"), max_length=18)
    name = models.CharField(_("姓名"), max_length=50)
    former_name = models.CharField(_("曾用名"), max_length=50, null=True)
    sex = models.CharField(_("性别"), max_length=1)
    ethnicity = models.CharField(_("民族"), max_length=2, null=True)
    birth_on = models.DateField(_("出生日期"))
    person_status = models.CharField(_("人员状态"), max_length=1)
    region_code = models.CharField(_("户籍区划"), max_length=12)
    address = models.CharField(_("住址"), max_length=200, null=True)
    household_head = models.CharField(_("户主姓名"), max_length=50, null=True)
    household_relation = models.CharField(_("与户主关系"), max_length=2, null=True)
    marital_status = models.CharField(_("婚姻状况"), max_length=2, null=True)
    died_on = models.DateField(_("死亡日期"), null=True)
    phone = models.CharField(_("联系电话"), max_length=20, null=True)

    class Meta:
        verbose_name = _("人口")
        indexes = [
            models.Index(fields=["changed_xid", "id"], name="person_changed"),
            models.Index(fields=["region_code"], name="person_region", opclasses=["text_pattern_ops"]),
        ]
