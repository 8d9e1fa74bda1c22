"""Names that mean the same (姓名比对): one writing for comparing, in Python and in SQL alike.

Spacing, middle dots, width, brackets and traditional characters make no difference between two names; anything else does.
Comparing is all this is for: what is stored and shown stays as it was delivered.
"""

from basedb.sql_text import BLANKS, quote

_DOTS = "·•・．‧∙⋅.､、-－‐"
# Traditional characters of names and their simplified ones, in pairs (通用规范汉字表, the part names are made of).
_PAIRS = (
    "萬万與与專专業业東东絲丝兩两嚴严喪丧個个豐丰臨临為为麗丽舉举義义烏乌樂乐喬乔習习鄉乡書书買买亂乱爭争虧亏雲云亞亚產产畝亩"
    "親亲億亿僅仅從从侖仑倉仓儀仪們们價价眾众優优會会傘伞偉伟傳传傷伤倫伦偽伪體体餘余傭佣俠侠侶侣偵侦側侧僑侨儉俭債债傾倾僂偻"
    "儲储兒儿兌兑黨党蘭兰關关興兴養养獸兽內内岡冈冊册寫写軍军農农馮冯衝冲決决況况凍冻淨净涼凉減减湊凑凜凛鳳凤憑凭凱凯擊击鑿凿"
    "劃划劉刘則则剛刚創创刪删別别劑剂勁劲勞劳勢势勳勋動动勵励務务勝胜區区醫医華华協协單单賣卖盧卢衛卫卻却廠厂廳厅歷历厲厉壓压"
    "廂厢廈厦縣县參参雙双發发變变敘叙葉叶號号嘆叹後后嚇吓呂吕嗎吗啟启吳吴員员聽听嗚呜詠咏響响嘩哗園园圍围國国圖图圓圆聖圣場场"
    "壞坏塊块堅坚壇坛墳坟墜坠壘垒墾垦壯壮聲声殼壳壺壶處处備备復复夠够頭头誇夸夾夹奪夺奮奋奧奥婦妇媽妈嬌娇娛娱婁娄孫孙學学寧宁"
    "寶宝實实寵宠審审憲宪宮宫寬宽賓宾對对尋寻導导壽寿將将爾尔塵尘嘗尝堯尧盡尽層层屬属嶼屿歲岁豈岂嶺岭嶽岳峽峡巖岩幣币師师帳帐"
    "幫帮帶带幹干並并廣广莊庄慶庆廬庐庫库應应廟庙龐庞廢废開开異异張张彌弥彎弯彈弹強强歸归當当錄录彥彦徹彻徑径禦御憶忆懷怀態态"
    "憐怜總总懇恳惡恶恆恒懸悬悅悦驚惊懼惧慘惨慣惯憤愤願愿戲戏戰战戶户撲扑執执擴扩掃扫揚扬擾扰撫抚搶抢護护報报擔担擬拟攏拢揀拣"
    "擁拥攔拦擇择掛挂摯挚擠挤揮挥損损換换據据擲掷攜携攝摄擺摆搖摇敵敌數数齋斋斕斓斬斩斷断無无舊旧時时曠旷曇昙顯显曉晓曄晔暉晖"
    "暫暂術术樸朴機机殺杀雜杂權权條条來来楊杨傑杰極极構构樞枢棗枣櫪枥棟栋欄栏樹树樣样檔档橋桥楨桢樺桦檢检櫻樱橫横歡欢歐欧歟欤"
    "殘残毀毁畢毕氈毡氣气漢汉湯汤溝沟沒没滬沪淚泪澤泽潔洁灑洒濟济瀏浏渾浑濃浓濤涛澇涝漣涟渦涡潤润漲涨淵渊漸渐漁渔滲渗溫温灣湾"
    "濕湿滿满濾滤濱滨灘滩瀟潇瀾澜瀨濑滅灭燈灯靈灵燦灿煒炜爐炉點点煉炼爍烁爛烂燭烛煙烟燁烨燒烧燴烩熱热煥焕愛爱爺爷牽牵犧牺狀状"
    "獨独獅狮獄狱獵猎獻献瑪玛環环現现璽玺瑋玮瓊琼瑤瑶璦瑷電电畫画暢畅疇畴療疗瘋疯癢痒癡痴皺皱盞盏鹽盐監监蓋盖盤盘矚瞩礦矿碼码"
    "磚砖礎础碩硕確确禮礼禍祸祿禄禪禅離离禿秃稈秆種种積积稱称穩稳窮穷竊窃竅窍竄窜競竞筆笔節节範范築筑簡简簫箫籃篮籬篱類类糧粮"
    "緊紧糾纠紀纪約约紅红純纯紗纱綱纲納纳縱纵綸纶紛纷紙纸紋纹紡纺細细織织終终紹绍經经綁绑絨绒結结繞绕繪绘給给絡络絕绝絞绞統统"
    "絹绢繡绣繼继績绩緒绪續续緋绯綺绮綵彩繩绳維维綿绵綢绸綜综綻绽綠绿綴缀緯纬緣缘縛缚縫缝繽缤纓缨繆缪羅罗罰罚罷罢羨羡翹翘聞闻"
    "聯联聰聪聶聂職职肅肃腸肠膚肤腎肾腫肿脹胀脅胁膽胆朧胧腦脑膠胶脈脉臉脸騰腾艦舰艙舱艷艳豔艳藝艺蘆芦蕪芜葦苇蒼苍蘇苏蘋苹莖茎"
    "薦荐榮荣薈荟藥药蓮莲獲获瑩莹鶯莺營营蕭萧薩萨蔥葱蔣蒋藍蓝薊蓟薔蔷藹蔼蘊蕴虜虏慮虑蟲虫雖虽蝦虾蝕蚀蟻蚁蠶蚕蠟蜡補补襯衬襲袭"
    "裝装褲裤見见觀观規规視视覽览覺觉觸触計计訂订認认譏讥討讨讓让訓训議议訊讯記记講讲諱讳許许論论訟讼設设訪访證证評评識识詐诈"
    "訴诉診诊詞词譯译試试詩诗誠诚話话誕诞詢询該该詳详語语誤误說说誦诵請请諸诸諾诺讀读課课誰谁調调諒谅談谈謀谋諧谐謝谢謙谦譚谭"
    "譜谱貝贝貞贞負负貢贡財财責责賢贤敗败賬账貨货質质販贩貪贪貧贫購购貫贯貴贵貿贸費费賀贺賴赖賜赐賞赏賠赔賦赋賽赛贊赞贈赠贏赢"
    "趙赵趕赶躍跃踐践車车軌轨軒轩轉转輪轮軟软軸轴輕轻載载較较輔辅輛辆輝辉輩辈輸输轄辖辭辞辯辩邊边遼辽達达遷迁過过邁迈運运還还"
    "這这進进遠远違违連连遲迟適适選选遜逊遞递邏逻遺遗鄧邓鄭郑鄰邻鄒邹鄔邬酈郦釀酿釋释裡里鑒鉴鑑鉴針针釘钉釗钊鈣钙鈞钧鋼钢鑰钥"
    "欽钦鈴铃鐵铁鉛铅銅铜銘铭錚铮銀银鑄铸鋪铺鏈链銷销鎖锁鋒锋錦锦錢钱錫锡鑼锣錘锤鍵键鍾钟鐘钟鍋锅鎮镇鏡镜鐮镰長长門门閃闪閉闭"
    "問问間间閔闵閘闸閣阁閩闽閱阅閻阎闊阔闡阐闖闯隊队陽阳陰阴陣阵階阶際际陸陆陳陈險险隨随隱隐難难雛雏雞鸡霧雾霽霁靜静韋韦韌韧"
    "韓韩頁页頂顶頃顷項项順顺須须頑顽顧顾頓顿頒颁預预領领頗颇頸颈頻频穎颖題题顏颜額额風风飛飞飄飘飯饭飲饮飾饰飽饱餃饺餅饼館馆"
    "馬马馭驭馳驰驅驱駁驳駐驻駕驾駿骏騎骑騁骋驊骅驕骄驗验驥骥魯鲁魚鱼鮑鲍鮮鲜鯉鲤鯨鲸鳥鸟鳴鸣鴻鸿鴨鸭鵬鹏鶴鹤鷗鸥鷹鹰鸞鸾麥麦"
    "黃黄齊齐齒齿齡龄龍龙龔龚龜龟"
)
_WIDTH = 0xFEE0  # from a character of ASCII to its full-width one
_ASCII = {chr(code): chr(code).upper() for code in range(0x21, 0x7F) if chr(code) != "%"}  # a driver reads it as a parameter
_MAP: dict[str, str] = (
    {small: large for small, large in _ASCII.items() if small != large}
    | {chr(ord(narrow) + _WIDTH): large for narrow, large in _ASCII.items()}
    | dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))
    | dict.fromkeys(BLANKS + _DOTS, "")
)
_TABLE = str.maketrans(_MAP)
_KEPT = "".join(character for character, plain in _MAP.items() if plain)
_FROM = _KEPT + "".join(character for character, plain in _MAP.items() if not plain)
_TO = "".join(_MAP[character] for character in _KEPT)


def normalized(name: str) -> str:
    """Return what two writings of one name have in common; "" for a name of nothing but marks."""
    return name.translate(_TABLE)


def writings(character: str) -> tuple[str, ...]:
    """Return a simplified character with its traditional writings."""
    return (character, *(full for full, plain in zip(_PAIRS[::2], _PAIRS[1::2], strict=True) if plain == character))


def normalized_sql(expression: str) -> str:
    """`normalized` as an immutable SQL expression over text."""
    return f"translate({expression}, {quote(_FROM)}, {quote(_TO)})"
