"""Word lists of the city at full scale (姓名与名称用字): characters by frequency, believable and about nobody."""

from __future__ import annotations

from functools import cache

from basedb.credit.shipped import read

# Weights in a thousand, roughly those of the country; the rest of a thousand goes to the last line.
SURNAMES_BY_WEIGHT = {
    55: "王李张刘陈",
    28: "杨黄赵吴周",
    14: "徐孙马朱胡郭何林高罗",
    8: "郑梁谢宋唐许邓韩冯曹彭曾肖田董潘袁蔡蒋余",
    4: "于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏傅方邹熊白",
    2: "孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常",
}
# Given names by generation: born before this year; characters of men, of women. The first are the commonest.
GENERATIONS = (
    (1955, "国建明德荣福根生金祥宏长发永贵文清华成光", "秀英兰珍凤桂玉芳梅珠琴淑巧云香莲菊素春贞"),
    (1975, "军伟强勇平斌峰涛健林志刚海波东辉建民新忠", "丽敏静艳红燕霞娟萍玲慧琳洁华英芬琼群芝蓉"),
    (1995, "磊超鹏杰俊凯晨浩宇飞翔鑫博旭阳亮威龙帆毅", "婷雪倩颖璐佳莹丹妍悦琪蕾晶娜瑶薇欣思嘉文"),
    (2100, "轩涵睿泽宸皓梓沐奕铭辰煜航远乐安哲楷霖骁", "涵萱梓欣怡诗琪语彤可馨雨桐一诺依晴若汐妙"),
)
# GB/T 3304 codes with weights in a thousand.
ETHNICITIES = {"01": 970, "03": 9, "15": 6, "06": 5, "08": 3, "11": 3, "12": 2, "14": 1, "02": 1}

BRAND_HEADS = "金华宏瑞鼎恒中盛新天博远德信嘉润泰安创智云海星联众诚鸿锦亿凯湘楚"
BRAND_TAILS = "源通达业科创宇辉丰利祥泽隆邦合元康和成翔图凌峰驰维腾久悦诺林伟正顺胜群"

# Which kind of department issues what a ministry defines; the 85 types themselves are those the platform is shipped with.
_ISSUED_FOR = {
    "自然资源部": "NATURAL_RESOURCES", "公安部": "PUBLIC_SECURITY", "市场监管总局": "MARKET_REGULATION", "民政部": "CIVIL_AFFAIRS",
    "卫生健康委": "HEALTH", "人力资源社会保障部": "SOCIAL_SECURITY", "教育部": "EDUCATION", "交通运输部": "TRANSPORT",
    "住房城乡建设部": "HOUSING", "生态环境部": "ENVIRONMENT", "农业农村部": "AGRICULTURE", "残疾人联合会": "DISABLED_FEDERATION",
}  # fmt: skip
_FIRST = ("不动产登记证明", "不动产权证书")


@cache
def license_types() -> list[tuple[str, str, str, str]]:
    """Return (code, name, P or E for the holder, department) of each type, the two of real estate first."""
    types = sorted(
        read("license_types")["types"], key=lambda one: (one["name"] not in _FIRST, one["name"] != _FIRST[0], one["code"])
    )
    return [
        (one["code"], one["name"], "P" if one["holder_kind"] == "自然人" else "E", _ISSUED_FOR.get(one["defining_body"], "OTHER"))
        for one in types
    ]
