"""Word lists of the synthetic city (演示数据): written for this project, believable in frequency, about nobody.

Weights follow how common a surname or a group is in a city of the lower Yangtze, roughly.
"""

from itertools import accumulate

_SURNAMES_BY_WEIGHT = {
    60: "王张李陈刘",
    30: "周吴徐孙朱杨赵黄",
    15: "马胡何郭高许沈陆蒋曹唐丁",
    8: "冯韩董程潘袁蔡余姚魏戴夏谢邓田任范方石汪叶姜葛",
    3: "钱严施邵孔崔季殷顾史龚陶俞倪毛杜万章宋",
    1: "仇贡芮濮端骆柏樊",
}
SURNAMES = [surname for surnames in _SURNAMES_BY_WEIGHT.values() for surname in surnames] + ["欧阳", "诸葛", "司马"]
SURNAME_WEIGHTS = list(accumulate([weight for weight, surnames in _SURNAMES_BY_WEIGHT.items() for _ in surnames] + [1, 1, 1]))

# Given names by generation: (born before this year, male characters, female characters).
GENERATIONS = (
    (1960, "国建明德荣福根生桂金祥宏长发永贵", "秀英兰珍凤桂玉芳梅珠琴淑巧云"),
    (1980, "军伟强勇平斌峰涛健林华志刚海波东", "丽敏静艳红燕霞娟萍玲慧萍琳洁"),
    (2000, "磊超鹏杰俊凯晨浩宇飞翔鑫博旭阳亮", "婷雪倩颖璐佳莹丹妍悦琪蕾晶晨"),
    (2100, "轩涵睿泽宸皓梓沐奕铭辰煜航远乐安", "涵萱梓欣怡诗琪语彤可馨雨桐一诺"),
)

# GB/T 3304 codes with weights: one group is nearly all, a handful are common among the rest.
ETHNICITIES = ["01", "03", "11", "06", "08", "15", "05", "02", "10", "14"]
ETHNICITY_WEIGHTS = list(accumulate([970, 14, 5, 3, 2, 2, 1, 1, 1, 1]))

BRAND_HEADS = "金华宏瑞鼎恒中盛新天博远德信嘉润泰安创智云海星联众诚鸿锦亿凯"
BRAND_TAILS = "源通达业科创宇辉丰利祥泽隆邦合元康和成翔图凌峰驰维腾久悦诺"

# Industry code of GB/T 4754, the word in the name, the scope of business.
INDUSTRIES = (
    ("I65", "软件科技", "软件开发；信息系统集成服务；技术咨询"),
    ("I64", "网络技术", "互联网信息服务；网络技术研发；数据处理服务"),
    ("C39", "电子", "电子元器件制造；电子产品销售"),
    ("C34", "机械", "通用设备制造；机械零部件加工"),
    ("C26", "新材料", "新型材料技术研发；化工产品销售（不含许可类）"),
    ("E50", "装饰工程", "建筑装饰装修工程施工；建筑材料销售"),
    ("E48", "建设", "房屋建筑和市政基础设施工程施工"),
    ("F51", "贸易", "国内贸易代理；货物进出口；日用百货批发"),
    ("F52", "商贸", "日用百货零售；食品销售；办公用品销售"),
    ("G54", "物流", "道路货物运输；国内货物运输代理；仓储服务"),
    ("H62", "餐饮管理", "餐饮服务；餐饮管理；外卖递送服务"),
    ("K70", "物业管理", "物业管理；家政服务；停车场服务"),
    ("L72", "企业管理咨询", "企业管理咨询；会议及展览服务；市场营销策划"),
    ("M73", "生物科技", "生物技术研发；医学研究和试验发展；技术转让"),
    ("N77", "环保科技", "环境保护监测；水污染治理；环保咨询服务"),
    ("P83", "教育科技", "教育咨询服务；教学用具销售"),
    ("Q84", "医疗管理", "诊所服务；健康咨询服务；医疗器械销售"),
    ("R88", "文化传媒", "文化艺术交流活动组织；广告设计、制作、发布"),
    ("A01", "农业科技", "蔬菜、水果种植与销售；农业技术推广服务"),
)
