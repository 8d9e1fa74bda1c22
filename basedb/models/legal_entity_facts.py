"""What is known of legal entities beside their own row (法人扩展信息). Fields as in `basedb.dictionary`."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from basedb.models.source_record import FactRow


class EntityChange(FactRow):
    """A registered change."""

    uscc = models.CharField(_("统一社会信用代码"), max_length=18)
    changed_item = models.CharField(_("变更事项"), max_length=2)
    changed_on = models.DateField(_("变更日期"))
    before = models.TextField(_("变更前内容"), null=True)
    after = models.TextField(_("变更后内容"), null=True)
    authority = models.CharField(_("登记机关"), max_length=100, null=True)

    class Meta:
        verbose_name = _("法人变更信息")
        indexes = [models.Index(fields=["subject_key"], name="entity_change_subject")]


class EntityBranch(FactRow):
    """An entity that is the branch of another."""

    uscc = models.CharField(_("统一社会信用代码"), max_length=18)
    parent_key = models.BinaryField(_("上级法人"), max_length=16)
    branch_kind = models.CharField(_("分支机构类别"), max_length=1)
    opened_on = models.DateField(_("设立日期"), null=True)
    closed_on = models.DateField(_("撤销日期"), null=True)

    class Meta:
        verbose_name = _("法人分支机构信息")
        indexes = [
            models.Index(fields=["subject_key"], name="entity_branch_subject"),
            models.Index(fields=["parent_key"], condition=models.Q(parent_key__isnull=False), name="entity_branch_parent"),
        ]


class EntityOfficer(FactRow):
    """A person who holds an office in an entity."""

    uscc = models.CharField(_("统一社会信用代码"), max_length=18)
    person_key = models.BinaryField(_("人员"), max_length=16)
    officer_role = models.CharField(_("职务"), max_length=2)
    appointed_on = models.DateField(_("任职日期"), null=True)
    left_on = models.DateField(_("离职日期"), null=True)

    class Meta:
        verbose_name = _("法人主要人员信息")
        indexes = [
            models.Index(fields=["subject_key"], name="entity_officer_subject"),
            models.Index(fields=["person_key"], condition=models.Q(person_key__isnull=False), name="entity_officer_person"),
        ]


class EntityShareholder(FactRow):
    """A person or entity that holds a share."""

    uscc = models.CharField(_("统一社会信用代码"), max_length=18)
    shareholder_kind = models.CharField(_("出资人类别"), max_length=1)
    holder_key = models.BinaryField(_("出资人"), max_length=16)
    share_ratio = models.DecimalField(_("出资比例(%)"), max_digits=7, decimal_places=4, null=True)
    subscribed = models.DecimalField(_("认缴出资额(万元)"), max_digits=18, decimal_places=6, null=True)
    contributed_on = models.DateField(_("出资日期"), null=True)
    left_on = models.DateField(_("退出日期"), null=True)

    class Meta:
        verbose_name = _("法人出资人信息")
        indexes = [
            models.Index(fields=["subject_key"], name="entity_shareholder_subject"),
            models.Index(fields=["holder_key"], condition=models.Q(holder_key__isnull=False), name="entity_shareholder_holder"),
        ]


class EntityQualification(FactRow):
    """A qualification an entity holds."""

    uscc = models.CharField(_("统一社会信用代码"), max_length=18)
    qualification_name = models.CharField(_("资质名称"), max_length=100)
    qualification_number = models.CharField(_("资质证书编号"), max_length=60)
    qualification_level = models.CharField(_("资质等级"), max_length=40, null=True)
    authority = models.CharField(_("发证机关"), max_length=100, null=True)
    valid_from = models.DateField(_("有效期自"), null=True)
    valid_to = models.DateField(_("有效期至"), null=True)
    qualification_state = models.CharField(_("资质状态"), max_length=1)

    class Meta:
        verbose_name = _("法人资质信息")
        indexes = [models.Index(fields=["subject_key"], name="entity_qualification_subject")]


class EntityAnnualReport(FactRow):
    """The report of one year."""

    uscc = models.CharField(_("统一社会信用代码"), max_length=18)
    report_year = models.CharField(_("年报年度"), max_length=4)
    report_state = models.CharField(_("年报状态"), max_length=1)
    submitted_on = models.DateField(_("报送日期"), null=True)
    employee_count = models.PositiveIntegerField(_("从业人数"), null=True)
    assets = models.DecimalField(_("资产总额(万元)"), max_digits=18, decimal_places=6, null=True)
    revenue = models.DecimalField(_("营业总收入(万元)"), max_digits=18, decimal_places=6, null=True)

    class Meta:
        verbose_name = _("法人年报信息")
        indexes = [models.Index(fields=["subject_key"], name="entity_annualreport_subject")]


class EntityTaxRegistration(FactRow):
    """How the tax office knows an entity."""

    uscc = models.CharField(_("统一社会信用代码"), max_length=18)
    tax_number = models.CharField(_("税务登记号"), max_length=20)
    taxpayer_kind = models.CharField(_("纳税人类别"), max_length=1, null=True)
    tax_state = models.CharField(_("税务登记状态"), max_length=1)
    registered_on = models.DateField(_("登记日期"), null=True)
    ended_on = models.DateField(_("注销日期"), null=True)
    authority = models.CharField(_("主管税务机关"), max_length=100, null=True)

    class Meta:
        verbose_name = _("法人税务登记信息")
        indexes = [models.Index(fields=["subject_key"], name="entity_tax_subject")]


class EntityInsuranceRegistration(FactRow):
    """How social insurance knows an entity."""

    uscc = models.CharField(_("统一社会信用代码"), max_length=18)
    insurance_number = models.CharField(_("社会保险登记号"), max_length=30)
    insurance_state = models.CharField(_("单位参保状态"), max_length=1)
    insured_count = models.PositiveIntegerField(_("参保人数"), null=True)
    registered_on = models.DateField(_("参保登记日期"), null=True)
    ended_on = models.DateField(_("注销日期"), null=True)

    class Meta:
        verbose_name = _("法人社会保险登记信息")
        indexes = [models.Index(fields=["subject_key"], name="entity_insurance_subject")]


class EntityLegacyIdentifier(FactRow):
    """A number from before the unified code, and whose it is now."""

    uscc = models.CharField(_("统一社会信用代码"), max_length=18)
    legacy_kind = models.CharField(_("旧标识类别"), max_length=1)
    legacy_number = models.CharField(_("旧标识号码"), max_length=30)
    valid_from = models.DateField(_("启用日期"), null=True)
    valid_to = models.DateField(_("停用日期"), null=True)

    class Meta:
        verbose_name = _("法人旧标识对照")
        indexes = [models.Index(fields=["subject_key"], name="entity_legacy_subject")]


class EntitySuccession(FactRow):
    """Who took over from whom (承继), since when. A trigger refuses a circle."""

    uscc = models.CharField(_("统一社会信用代码"), max_length=18)
    successor_key = models.BinaryField(_("承继法人"), max_length=16)
    succession_kind = models.CharField(_("承继方式"), max_length=1)
    effective_on = models.DateField(_("生效日期"))
    authority = models.CharField(_("登记机关"), max_length=100, null=True)

    class Meta:
        verbose_name = _("法人合并分立信息")
        indexes = [
            models.Index(fields=["subject_key"], name="entity_succession_subject"),
            models.Index(
                fields=["successor_key"], condition=models.Q(successor_key__isnull=False), name="entity_succession_successor"
            ),
        ]
