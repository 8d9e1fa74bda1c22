"""Words printed on sealed files (文件用语): Chinese in every language of the pages, as the paper is. Pure.

Also the characters every template's font holds, and the names certificates and signatures carry.
"""

from __future__ import annotations

from typing import Final

ROOT_NAME: Final = "电子证照签章根证书"
SIGNER_NAME: Final = "电子证照签章"
SEAL_KIND: Final = "电子证照专用章"
ISSUED: Final = "电子证照签发"
LOOKED_AT: Final = "颁发机构或数据中心查阅"

# Digits, letters and marks, and Chinese characters that stand on most licenses: numbers, dates, places, offices, names.
_PLAIN: Final = "".join(map(chr, range(0x20, 0x7F))) + "，。：；、（）《》“”‘’—…·〇×¥－"
_COMMON: Final = (
    "的一是不了在人有我他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好都然没日于起还发成事只作"
    "当想看文无开手用主行方又如前所本见经头面公同三已老从动两长知样现分将外但身些与高意进把法此实回二理美点月明其种声全工定由由门问"
    "零四五六七八九十百千万元角分第号层栋幢室楼单位路街巷弄村组镇乡县区市省州旗盟北京天津上海重庆河山西辽宁吉林黑龙江苏浙安徽福建东湖南广海四川贵"
    "云陕甘青台内蒙古藏新疆香港澳宁夏男女汉族民身份证照姓名性别出生址住户口结婚离登记机关编码代类型有限责任股公司企业法定代表人注册资本成立期营范围"
    "经食品餐饮销售许可驾驶员准初领证业从格道路运输租客货车资土地房屋产权利共建筑面积平米途宗字使用途终止起至止长局厅委员政府审批服务监督管理总"
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何罗高林梁郑谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程魏苏吕丁任沈姚卢姜崔钟谭陆汪范石廖贾韦方白邹孟熊秦邱"
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛超兰霞平刚桂华玉梅红春燕志建文辉力明永健世广义兴良海山仁波宁贵福生龙元国胜学祥才发武利清飞彬富顺信子涛昌"
    "玄鼓楼秦淮栖霞雨花台江宁浦六合溧水高淳雄谯埔钟科技园农商贸易材料电机械设备网络软件信息技术咨询化纺织服装医药器疗院校"
    "太白平阳湾港桥岛沙泉石塘坝洲岗岭岸沟渡口巷里园苑庄屯堡寨营坊桥亭台阁塔寺庙店铺馆厅堂示例面饭点汤茶酒烟肉鱼蔬果粮油盐糖"
)


def common() -> str:
    """Return the characters every template's font holds beside its own words."""
    return _PLAIN + _COMMON


def office_name(node_code: str) -> str:
    """Return in whose name the certificates of a node are made."""
    return f"政务数据共享交换平台 {node_code}"


def copied_for(purpose: str) -> str:
    """Return why a copy was signed."""
    return f"加注件：{purpose}"


def restricted(purpose: str, receiver: str) -> str:
    """Return what stands across a copy."""
    return f"仅供{receiver}用于{purpose}"


def restricted_small(purpose: str, receiver: str, day: str) -> str:
    """Return what stands all over a copy in small lines."""
    return f"{restricted(purpose, receiver)}　{day}　再复制无效"


def used_for(purpose: str, receiver: str) -> str:
    """Return the purpose of a fetched copy in the record of uses."""
    return f"{purpose}（{receiver}）"
