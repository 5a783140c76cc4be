"""Each test holds one way in which people put several problems, or only one, into a message."""

import pytest

from handlers.chat.grammar import fold
from handlers.understanding.splitting import problems

MOST = 5


def count(text: str) -> int:
    return len(problems(text, MOST))


SEVERAL = {
    "digits and a comma": ("1、车间缺操作工20人 2、厂门口路灯坏了5盏", 2),
    "digits and a dot": ("1.蒸汽压力低 2.东门积水排不掉 3.高企奖励没到账", 3),
    "digits in brackets": ("(1)焊工招不到;(2)危废没处理;(3)续贷卡在银行", 3),
    "full-width brackets": ("（1）叉车证到期没考点（2）宿舍不够住", 2),
    "bare digits": ("1 变压器夜里老跳闸 2 门口井盖翘起来了", 2),
    "circled digits": ("①发票额度不够②孩子入学没着落", 2),
    "lines": ("领导好:\n1. 二期用地批不下来\n2. 货车进港通行证过期\n谢谢", 2),
    "Chinese numerals": ("一、施工许可证还差图审;二、燃气没接通", 2),
    "Chinese numerals in brackets": ("(一)出口退税拖了三个月(二)海关查验排队", 2),
    "the first, the second": ("第一,厂区宽带老是断;第二,保安说有人翻墙偷铜线", 2),
    "the first thing": ("第一个是社保补缴不了，第二个是公积金账户冻结", 2),
    "one is, two is": ("我们主要两个困难,一是贷款利率太高,二是挡车工缺15人", 2),
    "without commas": ("一是车位不够二是公交站太远", 2),
    "among them": ("其一排污许可证要换证,其二在线监测设备故障", 2),
    "letters": ("A. 蒸汽管道漏汽; B. 环评批复没下来", 2),
    "first and next": ("首先是用工,缺二十个普工;其次是资金,续贷办不下来", 2),
    "first this then that": ("先说电,一天跳闸三次;再说路,门口大坑没人补", 2),
    "one and another": ("一个是食堂想办许可证,另一个是员工体检找不到医院", 2),
    "furthermore": ("仓库门口积水排不掉。另外司机反映港区进不来", 2),
    "one more thing": ("蒸汽压力不够,线快停了。还有个事,宿舍门口有人乱停车", 2),
    "there is also a problem": ("我们的续贷银行不批,还有一个问题是厂门口路灯坏了", 2),
    "once more": ("污水管堵了,再一个,新来的博士要办落户", 2),
    "besides": ("产证办不下来。此外,电费算错了多收两万", 2),
    "by the way": ("电梯年检排不上,顺便问问人才公寓还有没有房子租", 2),
    "oh yes": ("路灯坏了三盏。对了,上回申报的技改补贴没到账", 2),
    "the second matter": ("货车被交警拦在路口不让走。第二个事,门口摊贩占道", 2),
    "finally": ("限行以后槽车绕路。最后再说一下,职工体检没医院接", 2),
    "on top": ("缺两个电工,外加消防泵检测过期", 2),
    "another wish": ("发票红冲卡在系统里,另请教专利年费怎么补缴", 2),
    "announced with semicolons": ("两个事:围墙外有人烧垃圾;变压器要增容", 2),
    "announced with a pause mark": ("三件事哦:缺钳工、孩子没学上、污水管堵了", 3),
    "announced with full stops": ("说两条吧。厂区宽带太慢。危废仓库放不下", 2),
    "announced with commas": ("两件事,增容手续办不下来,路灯不亮", 2),
    "counted at the end": ("门口路灯坏了没人修,续贷卡在银行,两件事一起麻烦协调", 2),
    "both of these": ("环评批复和施工许可证这两个能不能帮忙催一下", 2),
    "semicolons, different matters": ("夜里隔壁噪声吵得睡不着;工伤认定材料被退回两次", 2),
    "spoken without marks": ("我们那个蒸汽压力一直不够线都快停了还有个事就是门口路灯坏了没人修", 2),
    "spoken, another thing": ("车间里缺二十个操作工招不到人另外我们还想问一下高企奖励怎么没到账", 2),
    "three on lines without numbers": ("缺叉车工三名\n环评批复没下来\n门口积水很深", 3),
    "a list with thanks behind": ("1、招电焊工五名2、厂房漏雨没人修。以上请协调,谢谢!", 2),
    "another after a greeting": ("各位领导早上好!锅炉检验排不上队,另外船期延误要滞箱费", 2),
    "a thank-you and two problems": ("谢谢上次帮忙。1、又缺十个工人 2、燃气费算错了", 2),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SEVERAL.values(), ids=SEVERAL)
def test_several_problems_are_split(text: str, expected: int) -> None:
    assert count(text) == expected


@pytest.mark.parametrize(("text", "expected"), SEVERAL.values(), ids=SEVERAL)
def test_a_text_of_one_width_is_split_alike(text: str, expected: int) -> None:
    assert count(fold(text)) == expected


ONE = {
    "a plain problem": "车间缺操作工，临时招也招不到",
    "a problem with its consequences": "停电了，模具报废了，损失3万",
    "a consequence after furthermore": "今天停电四个小时,另外停工损失两万",
    "a greeting before": "各位领导好!辛苦了。蒸汽压力不够，请协调",
    "thanks behind": "路灯坏了三盏，麻烦派人修一下，另外谢谢大家",
    "thanks before by the way": "上周多谢了。顺便讲个事,食堂师傅要走了,缺个烧饭的",
    "there are still nine days": "发明专利审查意见答复,还有九天到期,代理机构联系不上",
    "there is still somebody": "有人被困在电梯里,还有人在外面等,快来",
    "there is one more person": "两个人在厕所吐,还有一个说肚子疼,午饭先停了",
    "are there any left": "人才公寓还有吗,想给新来的五个大学生租",
    "the other half": "补偿款打了一半,另一半没影了",
    "the other six hundred": "贷款一千五变九百,另外六百万去哪里弄",
    "applies for a separate approval": "这个设备医院说要另外审批,能不能帮忙问一下",
    "the second time": "报备退了两次,第二次理由跟第一次一样",
    "the second day": "检查完第二天就来推销设备,这样合规吗",
    "the second batch": "绿色工厂第二批什么时候申报",
    "a time of the day": "1点停电,2点才来电,一炉料报废了",
    "numbers with units": "1号线停了,2号线也停了,都是蒸汽压力低",
    "a decimal": "蒸汽只有0.4兆帕,要0.65才够,1.2吨料等着",
    "a date": "11.24日停电检修,12.1日才恢复,我们交不了货",
    "steps of one story": "经过是这样:1、去规划要产权 2、去产权要消防 3、去消防要规划",
    "details of one question": "请教两个细节:(1)免税设备转用途要不要补税;(2)补税按原值还是折旧",
    "in truth one matter": "三个事其实是一件:1钢板厚薄不均 2供方不认报告 3合同写卖方检验",
    "told twice": "门口路灯坏了没人修。另外,门口路灯坏了,请派人修",
    "reasons of one problem": "招不到人,理由是一来路远二来工资低",
    "only one of a list": "1、缺二十个操作工",
    "a list of one and thanks": "1、缺二十个操作工 2、谢谢",
    "whether": "是一是二讲不清,货款拖了半年",
    "several places": "东门、南门、北门的路灯都不亮",
    "two sentences about one thing": "电梯坏了六天。物业说等配件，等到什么时候",
    "two things that belong together": "安评和环评同一家机构能做吗",
    "three hundred people": "三百个人的体检,两家医院都排不上",
    "a wish beside the problem": "管道泄漏,另请求派消防车进来处理管道泄漏",
    "asking what to do": "电脑全中病毒了文件打不开,顺便问下要不要报案",
    "a count in the middle": "机器换了两个都不行,证书点开是空白",
    "a count of people": "今年新来员工四十二个,孩子一年级排不下",
    "first do this then that": "先停产再整改,能不能给我们缓两个月",
    "both at the same time": "三条大船同时到,锚地压着七条等泊位",
    "a picture and a sentence": "[图片]\n地磅显示乱跳,车排到马路上",
    "nothing": "",
}  # fmt: skip


@pytest.mark.parametrize("text", ONE.values(), ids=ONE)
def test_one_problem_stays_whole(text: str) -> None:
    assert problems(text, MOST) == (text,)


def test_marks_and_courtesies_are_no_part_of_a_problem() -> None:
    text = "领导好!两个事:1、车间缺操作工20人；2、厂门口路灯坏了5盏。麻烦协调，谢谢！"
    assert problems(text, MOST) == ("车间缺操作工20人", "厂门口路灯坏了5盏")


def test_the_word_that_marks_the_next_problem_is_no_part_of_it() -> None:
    assert problems("停电了。另外司机进不来，货卸不了", MOST) == ("停电了", "司机进不来，货卸不了")


def test_a_firm_named_in_the_head_goes_with_each_problem() -> None:
    parts = problems("振华反映两个问题:1、缺十五个挡车工;2、厂外路灯坏了", MOST)
    assert parts == ("振华：缺十五个挡车工", "振华：厂外路灯坏了")


def test_a_head_that_only_counts_goes_with_none() -> None:
    assert problems("我反映两个问题：一是漏水，没人修；二是停车位不够", MOST) == (
        "漏水，没人修",
        "停车位不够",
    )


def test_a_consequence_stays_with_its_cause_in_a_list() -> None:
    parts = problems("1、停电了,模具报废了,损失3万 2、司机进不来", MOST)
    assert parts == ("停电了,模具报废了,损失3万", "司机进不来")


def test_what_exceeds_the_limit_is_kept_with_the_last() -> None:
    text = "1、缺电工 2、路灯坏了 3、环评没批 4、贷款难 5、专利被仿冒 6、厂门口积水"
    parts = problems(text, 5)
    assert len(parts) == 5
    assert parts[-1] == "专利被仿冒；厂门口积水"


def test_a_quoted_message_is_not_split() -> None:
    text = "「张三:1、停电了 2、路灯坏了」\n- - - - -\n收到,马上联系"
    assert problems(text, MOST) == (text,)


def test_a_visit_note_is_split_behind_its_label() -> None:
    text = "下午走访了沿江一家印染厂,厂长和会计都在,订单还可以。困难:1、蒸汽压力低;2、招不到挡车工"
    assert problems(text, MOST) == ("蒸汽压力低", "招不到挡车工")


def test_a_note_before_the_label_is_no_problem() -> None:
    text = "走访情况:企业有员工二百人,生产线三条;设备齐全。问题:缺焊工三名;另外消防验收没排上"
    assert count(text) == 2
