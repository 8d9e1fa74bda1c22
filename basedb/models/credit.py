"""Records of public credit (社会信用库), one table a kind. Field names, standards, grades and masks stand in `basedb.dictionary`.

What became of a record on the platform - repaired, retracted, in dispute, shielded - stands in `credit_cases`: the rows here
are a projection of what departments delivered and may be rebuilt.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from basedb.models.source_record import FactRow


def _indexes(name: str) -> list[models.Index]:
    return [
        models.Index(fields=["subject_key"], name=f"{name}_subject"),
        models.Index(fields=["changed_xid", "id"], name=f"{name}_changed"),
        models.Index(fields=["source_department", "decided_on", "id"], name=f"{name}_department"),
        HashIndex(fields=["document_number"], name=f"{name}_number"),
        models.Index(fields=["publish_until"], condition=Q(publish_until__isnull=False), name=f"{name}_until"),
    ]


def _amount(title: Any) -> models.DecimalField[Any, Any]:
    return models.DecimalField(title, max_digits=18, decimal_places=6, null=True)


class CreditRow(FactRow):
    """Columns all kinds share. A record is about a person, a legal entity or a self-employed household."""

    subject_name = models.CharField(_("行政相对人名称"), max_length=200)
    subject_category = models.CharField(_("行政相对人类别"), max_length=10)
    subject_code = models.CharField(_("行政相对人代码"), max_length=18)
    document_number = models.CharField(_("决定文书号"), max_length=128)
    item_code = models.CharField(_("目录条目"), max_length=20)
    decided_on = models.DateField(_("决定日期"))
    authority = models.CharField(_("认定机关"), max_length=200)
    authority_code = models.CharField(_("认定机关代码"), max_length=18)
    published_on = models.DateField(_("公示日期"), null=True)
    publish_until = models.DateField(_("公示截止期"), null=True)
    record_state = models.CharField(_("记录状态"), max_length=1, null=True)
    region_code = models.CharField(_("所属区划"), max_length=12)
    remark = models.CharField(_("备注"), max_length=512, null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.document_number


class LegacyNumbers(models.Model):
    """Numbers from before the unified code, and the legal representative, as the two national field lists have them."""

    business_number = models.CharField(_("工商注册号"), max_length=50, null=True)
    organization_code = models.CharField(_("组织机构代码"), max_length=9, null=True)
    tax_number = models.CharField(_("税务登记号"), max_length=20, null=True)
    institution_number = models.CharField(_("事业单位证书号"), max_length=20, null=True)
    society_number = models.CharField(_("社会组织登记证号"), max_length=50, null=True)
    legal_representative = models.CharField(_("法定代表人"), max_length=50, null=True)
    representative_id_type = models.CharField(_("法定代表人证件类型"), max_length=64, null=True)
    representative_id = models.CharField(_("法定代表人证件号码"), max_length=64, null=True)
    subject_id_type = models.CharField(_("自然人证件类型"), max_length=64, null=True)
    source_unit = models.CharField(_("数据来源单位"), max_length=200, null=True)
    source_unit_code = models.CharField(_("数据来源单位代码"), max_length=18, null=True)

    class Meta:
        abstract = True


class Adverse(models.Model):
    """What only records against a subject have."""

    severity = models.CharField(_("失信程度"), max_length=1, null=True)
    repair_notice_on = models.DateField(_("信用修复告知书送达日期"), null=True)
    lifted_on = models.DateField(_("移出(解除)日期"), null=True)
    lifting_document = models.CharField(_("移出(解除)决定文书号"), max_length=128, null=True)

    class Meta:
        abstract = True


class CreditPermit(CreditRow, LegacyNumbers):
    """An administrative permit (行政许可)."""

    document_title = models.CharField(_("决定文书名称"), max_length=64, null=True)
    permit_category = models.CharField(_("许可类别"), max_length=2)
    certificate_title = models.CharField(_("许可证书名称"), max_length=64, null=True)
    certificate_number = models.CharField(_("许可编号"), max_length=64, null=True)
    content = models.TextField(_("许可内容"))
    valid_from = models.DateField(_("有效期自"), null=True)
    valid_to = models.DateField(_("有效期至"), null=True)

    class Meta:
        verbose_name = _("行政许可")
        indexes = _indexes("permit")


class CreditPenalty(CreditRow, LegacyNumbers, Adverse):
    """An administrative penalty (行政处罚). Amounts are in 10,000 yuan."""

    violation = models.TextField(_("违法行为类型"))
    facts = models.TextField(_("违法事实"))
    basis = models.TextField(_("处罚依据"))
    penalty_category = models.CharField(_("处罚类别"), max_length=100)
    content = models.TextField(_("处罚内容"))
    fine = _amount(_("罚款金额(万元)"))
    confiscated = _amount(_("没收金额(万元)"))
    revoked_license = models.CharField(_("暂扣或吊销证照"), max_length=200, null=True)
    valid_until = models.DateField(_("处罚有效期"), null=True)

    class Meta:
        verbose_name = _("行政处罚")
        indexes = _indexes("penalty")


class CreditDishonesty(CreditRow, Adverse):
    """An entry on a list of serious dishonesty (严重失信主体名单)."""

    list_title = models.CharField(_("名单名称"), max_length=200)
    facts = models.TextField(_("列入事由"))
    basis = models.TextField(_("列入依据"))
    lifting_authority = models.CharField(_("作出移出决定机关"), max_length=200, null=True)
    lifting_reason = models.TextField(_("移出事由"), null=True)

    class Meta:
        verbose_name = _("严重失信")
        indexes = _indexes("dishonesty")


class CreditAbnormal(CreditRow, Adverse):
    """An entry on the list of abnormal operation (经营异常名录)."""

    facts = models.TextField(_("列入原因"))
    lifting_reason = models.TextField(_("移出原因"), null=True)

    class Meta:
        verbose_name = _("经营异常")
        indexes = _indexes("abnormal")


class CreditCommitment(CreditRow):
    """A commitment and whether it was kept (信用承诺)."""

    commitment_kind = models.CharField(_("承诺类型"), max_length=10)
    matter = models.CharField(_("承诺事由"), max_length=500)
    content = models.TextField(_("承诺内容"))
    valid_to = models.DateField(_("承诺有效期至"), null=True)
    performance = models.CharField(_("履约状态"), max_length=3, null=True)
    judged_on = models.DateField(_("履约认定日期"), null=True)
    breach = models.TextField(_("违诺事实"), null=True)

    class Meta:
        verbose_name = _("信用承诺")
        indexes = _indexes("commitment")


class CreditEvaluation(CreditRow):
    """A result of public credit rating (公共信用评价)."""

    evaluation_title = models.CharField(_("评价名称"), max_length=200)
    level = models.CharField(_("评价等级"), max_length=20)
    score = _amount(_("评价得分"))
    valid_to = models.DateField(_("有效期至"), null=True)

    class Meta:
        verbose_name = _("信用评价")
        indexes = _indexes("evaluation")


class CreditMeasure(CreditRow):
    """A measure of reward or restraint (守信激励, 失信惩戒)."""

    measure_kind = models.CharField(_("措施类别"), max_length=2)
    content = models.TextField(_("措施内容"))
    basis = models.TextField(_("措施依据"))
    valid_to = models.DateField(_("措施有效期至"), null=True)

    class Meta:
        verbose_name = _("奖惩措施")
        indexes = _indexes("measure")
