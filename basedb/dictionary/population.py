"""Population (人口库) as the contract has it."""

from django.utils.translation import gettext_lazy as _

from basedb.dictionary import population_facts
from basedb.dictionary.contract import PHONE_PATTERN, Dataset, Field, Grade, Source, Subject, Writing, coded, day
from basedb.identifiers import CITIZEN_ID_PATTERN, DIVISION_PATTERN
from basedb.masking import Mask

_POLICE = Source.PUBLIC_SECURITY

PERSON = Dataset(
    code="population.person",
    title=_("人口基本信息"),
    base_database="population",
    subject=Subject.PERSON,
    key_field="citizen_id",
    region_field="region_code",
    table="basedb_person",
    fields=(
        Field(
            name="citizen_id",
            title=_("公民身份号码"),
            source=_POLICE,
            length=18,
            writing=Writing.CITIZEN_ID,
            required=True,
            standard="GB 11643",
            grade=Grade.L3,
            mask=Mask.CITIZEN_ID,
            pattern=CITIZEN_ID_PATTERN,
        ),
        Field(name="name", title=_("姓名"), source=_POLICE, length=50, required=True, mask=Mask.NAME),
        Field(name="former_name", title=_("曾用名"), source=_POLICE, length=50, grade=Grade.L3, mask=Mask.NAME),
        coded("sex", _("性别"), _POLICE, standard="GB/T 2261.1", required=True, length=1),
        coded("ethnicity", _("民族"), _POLICE, standard="GB/T 3304", grade=Grade.L3),
        day("birth_on", _("出生日期"), _POLICE, required=True, grade=Grade.L3, mask=Mask.BIRTH_YEAR),
        coded("person_status", _("人员状态"), _POLICE, required=True, length=1),
        Field(
            name="region_code",
            title=_("户籍区划"),
            source=_POLICE,
            length=12,
            writing=Writing.CODE,
            required=True,
            standard="GB/T 2260",
            mask=Mask.COUNTY,
            pattern=DIVISION_PATTERN,
        ),
        Field(name="address", title=_("住址"), source=_POLICE, length=200, grade=Grade.L3, mask=Mask.ADDRESS),
        Field(name="household_head", title=_("户主姓名"), source=_POLICE, length=50, grade=Grade.L3, mask=Mask.NAME),
        Field(
            name="household_relation",
            title=_("与户主关系"),
            source=_POLICE,
            length=2,
            writing=Writing.CODE,
            standard="GB/T 4761",
            grade=Grade.L3,
            code_set="household_relation",
            pattern="[0-9]{2}",
        ),
        coded("marital_status", _("婚姻状况"), Source.CIVIL_AFFAIRS, grade=Grade.L3),
        day("died_on", _("死亡日期"), _POLICE, grade=Grade.L3),
        Field(
            name="phone",
            title=_("联系电话"),
            source=_POLICE,
            length=20,
            grade=Grade.L3,
            mask=Mask.PHONE,
            pattern=PHONE_PATTERN,
        ),
    ),
)

DATASETS = (PERSON, *population_facts.DATASETS)
