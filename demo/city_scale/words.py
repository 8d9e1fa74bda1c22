"""Word lists of the city at full scale (姓名与名称用字): characters by frequency, kinds of licences, believable and about nobody."""

from __future__ import annotations

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

# The 85 types of licence: name, holder (P a person, E an entity), department that issues it. Two of real estate come first.
_BY_DEPARTMENT = {
    "NATURAL_RESOURCES": "P不动产登记证明 P不动产权证书 E建设用地规划许可证 E建设工程规划许可证 E采矿许可证 E测绘资质证书",
    "PUBLIC_SECURITY": "P居民身份证 P机动车驾驶证 P机动车行驶证 P居住证 E保安服务许可证 E特种行业许可证 P普通护照 E印章刻制备案证明",
    "MARKET_REGULATION": "E营业执照 E食品经营许可证 E食品生产许可证 E药品经营许可证 E特种设备使用登记证 E医疗器械经营许可证 "
    "P特种设备作业人员证 E工业产品生产许可证 E检验检测机构资质认定证书 E计量标准考核证书",
    "CIVIL_AFFAIRS": "P结婚证 P离婚证 P最低生活保障证 E社会团体法人登记证书 E民办非企业单位登记证书 E养老机构备案回执 P收养登记证 E慈善组织公开募捐资格证书",
    "HEALTH": "P出生医学证明 P医师执业证书 P护士执业证书 E医疗机构执业许可证 E公共场所卫生许可证 P健康证明 E放射诊疗许可证 P死亡医学证明 E母婴保健技术服务许可证",
    "SOCIAL_SECURITY": "P社会保障卡 P职业资格证书 P就业创业证 E人力资源服务许可证 E劳务派遣经营许可证 P失业登记证明 P专业技术资格证书",
    "EDUCATION": "P教师资格证 E办学许可证 P普通话水平测试等级证书 P学历证书 P学位证书",
    "TRANSPORT": "P道路运输从业资格证 E道路运输经营许可证 E道路运输证 P网络预约出租汽车驾驶员证 E网络预约出租汽车运输证 E船舶营业运输证 P船员适任证书",
    "HOUSING": "E建筑工程施工许可证 E建筑业企业资质证书 P建造师注册证书 E商品房预售许可证 E安全生产许可证 E房地产开发企业资质证书 P公共租赁住房资格证明 E燃气经营许可证",
    "ENVIRONMENT": "E排污许可证 E危险废物经营许可证 E辐射安全许可证",
    "AGRICULTURE": "P农村土地承包经营权证 E种子生产经营许可证 E动物防疫条件合格证 P执业兽医资格证书 E农药经营许可证 P拖拉机驾驶证",
    "DISABLED_FEDERATION": "P残疾人证",
    "GOVERNMENT_SERVICES": "E烟草专卖零售许可证 E出版物经营许可证 E娱乐经营许可证 E营业性演出许可证 E危险化学品经营许可证 E取水许可证 E林木采伐许可证",
}


def licence_types() -> list[tuple[str, str, str]]:
    """Return (name, holder, department) of each type."""
    return [(word[1:], word[0], department) for department, words in _BY_DEPARTMENT.items() for word in words.split()]
