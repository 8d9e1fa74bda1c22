"""Legal entities (法人库). Field names, standards, grades and masks stand in `basedb.dictionary`."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from basedb.models.source_record import MasterRow


class LegalEntity(MasterRow):
    """The current row of an entity, keyed by its unified social credit code (统一社会信用代码)."""

    uscc = models.CharField(_("统一社会信用代码"), max_length=18, unique=True)
    name = models.CharField(_("名称"), max_length=200)
    entity_kind = models.CharField(_("机构类型"), max_length=4, null=True)
    legal_representative = models.CharField(_("法定代表人"), max_length=50, null=True)
    legal_representative_id = models.CharField(_("法定代表人证件号"), max_length=18, null=True)
    region_code = models.CharField(_("住所区划"), max_length=12)
    address = models.CharField(_("住所"), max_length=300, null=True)
    industry = models.CharField(_("行业"), max_length=5, null=True)
    registered_capital = models.DecimalField(_("注册资本(万元)"), max_digits=18, decimal_places=6, null=True)
    currency = models.CharField(_("币种"), max_length=3, null=True)
    established_on = models.DateField(_("成立日期"), null=True)
    term_from = models.DateField(_("经营期限自"), null=True)
    term_to = models.DateField(_("经营期限至"), null=True)
    business_scope = models.TextField(_("经营范围"), null=True)
    authority = models.CharField(_("登记机关"), max_length=100, null=True)
    registration_state = models.CharField(_("登记状态"), max_length=2)
    cancelled_on = models.DateField(_("注销日期"), null=True)

    class Meta:
        verbose_name = _("法人")
        indexes = [
            models.Index(fields=["changed_xid", "id"], name="legal_entity_changed"),
            models.Index(fields=["region_code"], name="legal_entity_region", opclasses=["text_pattern_ops"]),
        ]
