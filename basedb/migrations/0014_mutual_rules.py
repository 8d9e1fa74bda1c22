"""Rules may ask that both sides of a fact say the same (双方一致), such as a marriage."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("basedb", "0013_license_identifiers")]

    operations = [
        migrations.AlterField(
            model_name="qualityrule",
            name="kind",
            field=models.CharField(
                choices=[
                    ("REQUIRED", "必填"),
                    ("FORM", "格式、长度与代码"),
                    ("CODES", "取值范围"),
                    ("RANGE", "数值与日期范围"),
                    ("COMPARE", "字段间比较"),
                    ("AGREES", "与标识一致"),
                    ("CHECK_DIGIT", "校验码"),
                    ("REFERENCE", "跨库引用"),
                    ("NOT_DOUBTFUL", "多源一致"),
                    ("UNIQUE", "唯一"),
                    ("MUTUAL", "双方一致"),
                    ("MEASURE", "运行指标"),
                ],
                max_length=14,
                verbose_name="类别",
            ),
        ),
    ]
