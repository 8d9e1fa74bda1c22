"""What is known of people beside their own row (人口扩展信息). Fields as in `basedb.dictionary`."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from basedb.models.source_record import FactRow


class NameUsage(FactRow):
    """A name somebody goes by, and from when to when (姓名使用)."""

    citizen_id = models.CharField(_("公民身份号码"), max_length=18)
    name_kind = models.CharField(_("姓名类别"), max_length=1)
    used_name = models.CharField(_("使用姓名"), max_length=50)
    used_from = models.DateField(_("启用日期"), null=True)
    used_to = models.DateField(_("停用日期"), null=True)

    class Meta:
        verbose_name = _("人口姓名使用信息")
        indexes = [models.Index(fields=["subject_key"], name="nameusage_subject")]


class Identifier(FactRow):
    """A paper of a person beside the citizen id: passport, travel permit, the old fifteen digits."""

    citizen_id = models.CharField(_("公民身份号码"), max_length=18)
    person_paper = models.CharField(_("证件类型"), max_length=3)
    paper_number = models.CharField(_("证件号码"), max_length=30)
    issuer = models.CharField(_("签发机关"), max_length=100, null=True)
    issued_on = models.DateField(_("签发日期"), null=True)
    expires_on = models.DateField(_("有效期至"), null=True)

    class Meta:
        verbose_name = _("人口证件信息")
        indexes = [models.Index(fields=["subject_key"], name="identifier_subject")]


class Household(FactRow):
    """A household (户) with its head; its key is its number."""

    household_number = models.CharField(_("户号"), max_length=30)
    household_kind = models.CharField(_("户别"), max_length=1)
    head_key = models.BinaryField(_("户主"), max_length=16, null=True)
    region_code = models.CharField(_("户籍区划"), max_length=12)
    address = models.CharField(_("户籍地址"), max_length=200, null=True)
    set_up_on = models.DateField(_("立户日期"), null=True)
    dissolved_on = models.DateField(_("销户日期"), null=True)

    class Meta:
        verbose_name = _("户信息")
        indexes = [
            models.Index(fields=["subject_key"], name="household_subject"),
            models.Index(fields=["head_key"], condition=models.Q(head_key__isnull=False), name="household_head_key"),
        ]


class HouseholdMember(FactRow):
    """Which household somebody belongs to now: one a person. Earlier ones stand in the source records."""

    citizen_id = models.CharField(_("公民身份号码"), max_length=18)
    household_number = models.CharField(_("户号"), max_length=30)
    household_relation = models.CharField(_("与户主关系"), max_length=2)
    joined_on = models.DateField(_("入户日期"), null=True)
    left_on = models.DateField(_("离户日期"), null=True)

    class Meta:
        verbose_name = _("户成员信息")
        constraints = [models.UniqueConstraint(fields=["subject_key"], name="one_household_a_person")]


class Residence(FactRow):
    """Where somebody is registered or lives, and from when to when."""

    citizen_id = models.CharField(_("公民身份号码"), max_length=18)
    residence_kind = models.CharField(_("居住类别"), max_length=1)
    region_code = models.CharField(_("所在区划"), max_length=12)
    address = models.CharField(_("居住地址"), max_length=200)
    moved_in_on = models.DateField(_("迁入日期"))
    moved_out_on = models.DateField(_("迁出日期"), null=True)

    class Meta:
        verbose_name = _("人口居住信息")
        indexes = [models.Index(fields=["subject_key"], name="residence_subject")]


class VitalEvent(FactRow):
    """A birth, death, marriage, divorce or move, as one department knows it."""

    citizen_id = models.CharField(_("公民身份号码"), max_length=18)
    vital_event = models.CharField(_("事件类别"), max_length=2)
    occurred_on = models.DateField(_("发生日期"))
    registered_on = models.DateField(_("登记日期"), null=True)
    certificate_number = models.CharField(_("证明编号"), max_length=40, null=True)
    partner_key = models.BinaryField(_("配偶"), max_length=16, null=True)
    mother_key = models.BinaryField(_("母亲"), max_length=16, null=True)
    father_key = models.BinaryField(_("父亲"), max_length=16, null=True)
    region_code = models.CharField(_("登记区划"), max_length=12, null=True)
    authority = models.CharField(_("登记机构"), max_length=100, null=True)

    class Meta:
        verbose_name = _("人口生命事件")
        indexes = [
            models.Index(fields=["subject_key"], name="vitalevent_subject"),
            models.Index(fields=["partner_key"], condition=models.Q(partner_key__isnull=False), name="vitalevent_partner_key"),
            models.Index(fields=["mother_key"], condition=models.Q(mother_key__isnull=False), name="vitalevent_mother_key"),
            models.Index(fields=["father_key"], condition=models.Q(father_key__isnull=False), name="vitalevent_father_key"),
        ]


class Attribute(FactRow):
    """One thing a department knows of a person: a kind, a code, a validity range."""

    citizen_id = models.CharField(_("公民身份号码"), max_length=18)
    attribute_kind = models.CharField(_("属性类别"), max_length=20)
    attribute_value = models.CharField(_("属性值"), max_length=20)
    valid_from = models.DateField(_("起始日期"))
    valid_to = models.DateField(_("终止日期"), null=True)

    class Meta:
        verbose_name = _("人口属性信息")
        indexes = [models.Index(fields=["subject_key"], name="attribute_subject")]
