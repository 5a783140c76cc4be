"""A title that a leader can read alone: the thing and what is wrong, at most twenty characters."""

import re
from functools import cache, lru_cache
from typing import Final, NamedTuple

from handlers.chat.grammar import fold, without_quote
from handlers.domain.category import Category
from handlers.understanding import words as w
from handlers.understanding.topics import TOPICS

MOST: Final = 20
# A longer message repeats itself; what it is about stands in its first sentences.
_READ: Final = 200


def _listed(line: str) -> frozenset[str]:
    return frozenset(line.split())


# What a word is to a title.
UNKNOWN, TOPIC, BAD, ASK, WANT, FILL, POLITE, WHO, WHEN, LINK, BOUND, END, PLAIN, NUMBER, MARK = (
    range(15)
)


class Token(NamedTuple):
    """A word of a text, what it is, and how much it tells."""

    text: str
    kind: int
    weight: float


_WORDS_OF: Final[dict[int, str]] = {
    # Something is wrong. Those that need an object stand in _NEEDS_OBJECT too.
    BAD: (
        "缺 缺口 坏 坏了 烂 烂了 断 断了 停 停了 堵 堵了 漏 漏了 漏水 漏气 漏油 裂 裂了 塌 塌了 倒了 歪了 掉了 爆了 炸了 烧了 烧坏 烧掉 "
        "卡住 卡在 卡着 卡了 压着 拖着 拖了 拦 扣 扣了 扣住 占了 占着 被占 被扣 被抽 被退 被拒 被抢 被砸 被撞 撞坏 撞弯 撞歪 "
        "没 没有 没得 没人 没法 没到 没发 没批 没回 没修 没通 没拿 没下文 没动静 没着落 没处 没地方 没人管 没人来 没人接 没人理 没消息 "
        "无 无法 无人 不够 不足 不给 不让 不肯 不还 不退 不赔 不能 不行 不对 不亮 不通 不敢 不准 不认 不收 不批 不接 不管 不稳 不符 "
        "不清 不清楚 不一致 不一样 不合理 不方便 不知道 不晓得 太低 太高 太少 太慢 太贵 太远 太长 太短 太重 太大 太小 太吵 "
        "太窄 偏高 偏低 偏小 忽高忽低 时有时无 拖欠 欠 拒绝 退回 打回 退了 驳回 报错 故障 异常 失灵 失效 失败 失控 过期 到期 超标 超期 逾期 中断 中毒 "
        "短缺 紧缺 紧张 困难 难 难题 麻烦 冲突 矛盾 纠纷 投诉 举报 损失 报废 停产 停工 停线 停机 趴窝 打不开 登不上 上不去 进不去 进不来 出不去 "
        "过不去 找不到 排不上 排不到 对不上 接不上 供不上 跟不上 招不到 招不满 办不了 办不下来 批不下来 看不见 用不了 修不好 开不了 交不了 "
        "发不出 装不下 住不下 停不下 等不及 来不及 来不了 赶不上 做不了 受不了 吃不消 涨价 涨了 跳数 掉 掉电 掉线 跳电 跳了 失压 乱停 乱跳 乱收 晃 抖 锈 锈了 老化 破损 破了 "
        "掉下来 砸到 淹 淹了 泡 着火 起火 冒烟 冒火 受伤 昏迷 晕倒 摔 摔了 死 死了 跑了 走了 走光 流失 失联 跑路 假 误 误报 错 错了 弄错 搞错 "
        "重复 推诿 互相推 踢皮球 扯皮 僵着 空着 荒着 闲置 丢 丢了 少了 差 差了 减少 缩水 缩短 取消 冻结 查封 断供 断货 断水 断电 断网 停电 停水 "
        "停气 臭 吵 呛 熏 刺鼻 变质 发霉 发黑 生锈 积水 倒灌 溢出 泄漏 泄露 外溢 挤占 挡 挡住 挡了 遮挡 冲 冲突 打架 闹 骂 偷 被偷 被盗 骗 被骗"
    ),
    ASK: (
        "怎么 怎么办 怎么弄 怎么走 怎么算 怎样 如何 咋 咋办 咋弄 咋整 咋算 哪里 哪儿 哪个 哪家 哪些 哪位 啥 啥时候 什么 什么时候 为什么 几时 多少 多久 "
        "能不能 可不可以 可以吗 行不行 行吗 好吗 是不是 有没有 要不要 算不算 该不该 能否 可否 是否 吗 么 伐 谁 谁管 找谁 归谁 问谁 凭什么 几个 几天"
    ),
    WANT: (
        "想 想要 想找 想请 想把 想问 要 需要 需 急需 急需要 急招 急要 求 求助 希望 盼 盼望 望 请求 申请 要求 建议 拟 打算 准备 计划 招 借 租 找 买 "
        "加装 增设 新增 增加 调整 修 修复 修理 维修 更换 换 安排 派 派人 加 补 补办 补发 延期 延长 恢复 确认 核实 办理 办 报 查 开通 接通 解除 撤销 "
        "对接 介绍 推荐 指导 培训 鉴定 检测 测 审批 验收 报名 催 催一下 协调 疏导 清理 清运 打捞 修剪 撤 退 赔 赔偿 补偿"
    ),
    # Said while thinking; a title loses nothing with them.
    FILL: (
        "那个 这个 就是说 就是 就那个 那 这 那啥 那个啥 那种 这种 那边 这边 那块 这块 其实 反正 好像 感觉 说实话 讲真 老实说 简单说 总之 基本上 应该 大概 可能 "
        "的话 怎么说呢 怎么讲 你看 你看看 您看 你们看 看看 看一下 看一看 看下 一下 一下子 顺便 直接 真的 真是 实在 确实 干脆 到底 究竟 还 啊 呀 哦 噢 呃 嗯 哎 唉 喂 "
        "嘛 哈 哈哈 嘿 嘞 咯 呗 是这样 是这样的 这样的 是这个样子的 这么个 我就 我就说 我是说 我想说 我跟你讲 我跟你说 我跟您讲 跟你讲 跟你说 跟您说 我讲 "
        "你讲 你说 你们说 我说 说说 拜个早年 拜年 老实讲 长话短说 说个事 讲个事 说件事 有个事 有个情况 有件事 是个事 问个事 问一声 多嘴问一句 说一下 讲一下 报一下 报告一下 汇报一下 反映一下 反映下 "
        "反应一下 反映个问题 反映一个问题 反映个情况 反映 报告 汇报 反馈 反馈一下 说来话长 话说 再说 再讲 来说说 跟大家讲 跟领导汇报 我就一句话 一句话 集中说下"
    ),
    POLITE: (
        "请 请问 请教 请教一下 请教下 想请教 想请教一下 咨询 咨询一下 想咨询 想咨询一下 想问 想问下 想问一下 问下 问一下 问问 想了解 想了解一下 了解一下 打听 打听一下 打听下 麻烦 麻烦您 麻烦你 麻烦你们 "
        "拜托 辛苦 烦请 恳请 敬请 劳驾 劳烦 不好意思 打扰 打扰了 打扰一下 你好 您好 你们好 大家好 各位好 早 早上好 上午好 中午好 下午好 晚上好 晚好 新年好 谢谢 多谢 谢了 "
        "感谢 谢谢啦 谢谢您 先谢了 领导 各位 各位领导 领导们 各位老师 各位大佬 亲 亲们 大神 主任好 小港 小助手 帮 帮忙 帮个忙 帮帮忙 帮帮我们 帮我们 帮我 帮着 帮下 帮忙看看 "
        "帮忙看下 帮看看 帮看下 帮问问 帮问下 帮忙问问 帮忙问下 帮忙协调 帮忙协调下 帮忙协调一下 给看看 给协调 给问问 给打个招呼 有劳 费心 急急急 在线等 在吗 在不在 有人吗 有人在吗 报修 求救 "
        "诚恳 恳求 务必 尽快 尽早 抓紧 赶紧 赶快 快点 早点 速度 好不好 好吧 好伐 行吧 可以伐 你们 您 你 领导你 大家 同志 同志们 老师 大哥 大姐 师傅们 小同志"
    ),
    WHO: (
        "我们 我们厂 我们公司 我们单位 我们这边 我们这里 我们这儿 我们家 我们厂里 我们厂区 我们企业 我们老板 我司 我厂 我公司 我方 我家 我单位 我这边 我这里  "
        "咱 咱们 咱厂 咱们厂 咱们公司 咱公司 我的 我们的 我家的 我们厂的 我们公司的 本公司 本厂 本司 敝司 俺们 俺厂 阿拉 伲 厂里 厂里头 公司 公司这边 自己 自家 俺"
    ),
    WHEN: (
        "最近 近期 近来 近日 这两天 这几天 这阵子 这段时间 这一阵 这个月 这个礼拜 这周 本周 本月 上周 上个月 上个礼拜 上月 前两天 前几天 前天 昨天 昨晚 昨夜 昨儿 今天 今早 今晚 今朝 今儿 今日 "
        "现在 目前 眼下 当前 如今 刚才 刚刚 刚 方才 早上 上午 中午 下午 晚上 夜里 半夜 凌晨 傍晚 一大早 一早 大清早 天天 每天 每晚 每次 每回 经常 老是 总是 一直 时常 常常 已经 已 一来 每到 "
        "从昨天 从昨晚 从今天 从早上 从上周 去年 前年 今年 明年 年初 年底 月初 月底 之前 以前 原来 原先 后来 当时 那时候 当年 往年 突然 忽然 一下午 一上午 一整天 连着 连续 又"
    ),
    # A clause of its own begins with these.
    LINK: (
        "可惜 好在 惟 唯 因为 所以 但是 但 可是 不过 然后 而且 并且 结果 导致 造成 于是 只是 因此 由于 虽然 尽管 如果 要是 假如 要不 不然 否则 要不然 还有 再有 另外 此外 同时 以及 再加上 加上 何况 况且 "
        "而 却 才 就 便 则 只要 只有 除非 既然 哪怕 即使 万一 甚至 尤其 特别是 比如 例如 也就是 换句话说 这样一来 弄得 搞得 害得 使得 说是 讲是 听说 据说 再 再再 再就是 接着 后面 最后 第二 末了"
    ),
    # Nothing ends with these: they hold on to what follows.
    BOUND: (
        "的 地 得 把 被 在 跟 和 与 同 及 或 或者 还是 向 往 朝 对 对于 关于 给 为 为了 让 叫 令 从 自 由 于 到 至 比 按 按照 照 根据 凭 以 用 拿 经 经过 通过 随 随着 除 除了 连 沿 沿着 "
        "每 各 某 该 此 其 本 另 另一 所 之 着 过 不 没 未 别 勿 非 很 太 更 最 挺 蛮 好 也 都 只 仅 又 再 曾 将 会 能 可 可以 应 该 必须 得要 是 有 像 如 似 等 等着 上 下 里 "
        "属于 成为 变成 作为 当 当作 算 叫做 名叫 第 约 近 共 总共 一共 大约 左右"
    ),
    END: "了 吧 呢 啦 喽 哟 哉 啰 嗷 呐",
    PLAIN: (
        # places and parts of a site
        "门口 大门 大门口 后门 北门 南门 东门 西门 侧门 厂门口 厂门 厂区 厂外 园区 工业园 车间 一车间 二车间 三车间 产线 生产线 流水线 线上 工段 班组 库房 仓库 冷库 机房 泵房 锅炉房 配电间 配电室 变电所 变电站 "
        "楼上 楼下 楼顶 屋顶 顶棚 墙 墙面 墙体 墙角 墙根 院子 走廊 楼梯 楼道 地面 地上 地下 地下室 底下 里面 外面 外头 里头 上面 下面 旁边 隔壁 对面 附近 周边 中间 两边 边上 路口 路上 路边 马路 马路上 "
        "北边 南边 东边 西边 北侧 南侧 东侧 西侧 北面 南面 东面 西面 河边 江边 码头 工地 现场 村里 镇上 区里 市里 省里 国内 国外 本地 外地 老家 学校 医院 大楼 研发楼 办公楼 宿舍楼 食堂 前台 门卫 门岗 "
        # people and offices
        "员工 工人 职工 新员工 老员工 师傅 老板 老总 经理 会计 财务 出纳 司机 保安 客户 供应商 供方 甲方 乙方 总包 分包 包工头 施工队 施工方 房东 租户 邻居 居民 村民 老人 老婆 老公 爱人 家里 家长 外国人 外籍 "
        "专家 工程师 技术员 操作工 班长 主任 局长 所长 部门 单位 机构 窗口 中介 平台 第三方 代理 代理机构 管委 住建 城管 交警 消防 应急 税务 海关 银行 法院 派出所 社区 街道 居委会 村委 村委会 物业 环保 安监 "
        "市场监管 市监 卫健 卫生 供电 水务 燃气 电信 教育局 教育 人社 资规 规划 交通局 交通 港口 海事 财政 科技局 商务局 商务 发改 "
        # things and matters
        "设备 机器 机床 电脑 手机 系统 网站 页面 账号 密码 按钮 软件 手续 流程 资料 材料 文件 证明 证书 报告 合同 协议 方案 图纸 清单 名单 数据 记录 台账 表格 申请表 信息 电话 短信 通知 公告 邮件 消息 视频 照片 图片 "
        "车 车辆 大车 小车 货车 卡车 叉车 行车 电动车 自行车 三轮车 工程车 车上 货 货物 东西 原料 原材料 材质 产品 成品 半成品 样品 样机 零件 配件 模具 钢材 板材 木材 水泥 石子 砂石 塑料 纸 油 水 电 气 "
        "钱 款 款项 费用 成本 价格 单价 总价 金额 额度 比例 标准 政策 条件 规定 要求 名额 指标 资格 期限 时间 日期 周期 进度 结果 原因 责任 风险 影响 问题 事情 情况 办法 措施 意见 说法 答复 回复 口径 方面 "
        "工资 奖金 补贴 补助 税 票 发票 账 账户 账单 订单 单子 生意 业务 项目 工程 工艺 技术 质量 数量 规格 型号 品牌 "
        "孩子 小孩 娃 儿子 女儿 学生 实习生 大学生 研究生 博士 人才 户口 房子 房租 租金 公寓 宿舍 幼儿园 "
        "温度 压力 电压 电流 水压 气压 浓度 流量 水位 高度 宽度 面积 重量 距离 声音 噪音 味道 气味 烟 灰 火 雨 风 台风 暴雨 大雨 下雨 天气 冬天 夏天 春节 过年 年前 年后 国庆 中秋 五一 元旦 "
        # verbs and adjectives
        "知道 晓得 认识 告诉 说 讲 问 答 看 看到 看见 听 听到 发现 觉得 认为 以为 担心 怕 害怕 敢 肯 愿意 喜欢 同意 答应 承诺 接受 拒收 收 收到 收费 发 发生 出现 出来 出去 进来 进去 过来 过去 回来 回去 上来 下来 起来 "
        "开 开始 开工 开门 关 关门 关掉 打开 打 打电话 打不通 联系 沟通 交 交了 交给 付 付款 支付 缴 缴纳 扣款 做 做完 弄 搞 处理 解决 完成 完 结束 继续 停止 暂停 放 放在 拉 拉走 推 搬 搬走 搬到 运 送 送到 送货 装 装好 装货 卸 卸货 挖 挖断 "
        "建 盖 拆 拆除 移 移走 移到 改 改成 改造 升级 变 变化 变更 更新 转 转到 移交 接 接管 接收 分 分到 合并 签 签了 签字 盖章 提交 上传 下载 填 填写 填报 登记 注册 登录 查询 审核 审查 检查 抽查 复核 评审 认定 公示 拿到 拿 取 带 "
        "用 使用 占用 堆 堆放 堆着 停放 摆 摆放 挂 贴 写 印 刷 洗 扫 吃 喝 住 睡 走 跑 坐 站 站着 排 排队 排着 等 等了 等待 堵着 堵死 围 拦住 拦着 冲进 流 流到 流出 冒 冒出 滴 渗 飘 飘来 闻到 烧 烧着 响 亮 黑 黑了 灭 灭了 "
        "下班 上班 加班 到岗 辞职 离职 请假 生产 加工 制造 销售 采购 出口 进口 运输 发货 交货 到货 投产 扩产 扩建 搬迁 租用 出租 转让 购买 赔钱 亏 亏损 赚 涨 降 降低 提高 上升 下降 超 超过 低于 高于 达到 够 剩 剩下 只剩 还剩 "
        "新 旧 老 大 小 多 少 高 低 长 短 远 近 快 慢 好 差 贵 便宜 严重 厉害 危险 安全 正常 正式 临时 长期 短期 免费 专门 统一 单独 全部 部分 所有 整个 全厂 全员 大部分 一半 许多 不少 好几 好多 几乎 完全 必须 可能 容易 "
        "可以 应该 不用 不要 不是 不会 不想 没事 没问题 没关系 有人 有的 有点 有些 一些 一点 一样 一起 一道 一般 一定 一共 一次 一个 一家 一边 一半 每家 几家 别人 人家 他们 她们 他 她 它 它们 对方 其他 别的 另外一 各家 "
        "里 外 上 下 前 后 左 右 东 西 南 北 内 中 间 边 时 时候 期间 以后 之后 之内 以内 以上 以下 以外 之间 当中 为止 起 人 个 家 件 次 天 月 年 日 号 点 分 秒 块 元 角 台 辆 条 根 张 份 批 项 套 座 栋 层 间 户 名 位 车"
    ),
}
# 「这批」「那栋」 point at what everybody in the chat sees; a title says the thing itself.
_POINTED: Final = "批 栋 个 家 条 台 些 种 件 张 套 片 座 辆 户 间 块 次 段 位 笔 份 只 根 头 帮 伙 几个 几家 几台 两个"
# These leave a hole at the end of a title: what is missing, held or asked for must follow.
_NEEDS_OBJECT: Final = _listed(
    "缺 没 没有 没得 无 欠 拦 扣 卡在 想 想要 想找 想把 要 需要 需 急需 求 希望 盼 望 拟 打算 准备 招 急招 找 借 买 "
    "不能 不让 不肯 不敢 不给 无法 没法 不会 不想 不要 不用 不是 怎么 如何 咋 哪个 哪家 能不能 可不可以 是不是 有没有 要不要 能否 可否 是否 为什么 "
    "挡 占 压着 差 少 派 加 补 请求 要求 建议 增设 加装 新增 说 讲 问 听 觉得 认为 以为 担心 怕 敢 肯 愿意 他们 他 她 你 人家 从 一个 几个 每家 有人 有的 有点 有些 一些 所有 整个 全部 "
    "超过 低于 高于 达到 搬到 放在 改成 移到 转到 流到 只剩 剩下 还剩 时 几乎 完全 必须 一直 已经 又 还 只 "
    "什么 那个 这个 那 这 因为 所以 但是 弄 搞 用 使用 属于"
)
_UNITS: Final = (
    "个多月|个半月|个月|个小时|小时|分钟|个工作日|工作日|个人|个|公里|公斤|千瓦时|千瓦|千伏安|千伏|兆瓦|兆帕|立方米|立方|平方米|平方|平米|"
    "厘米|毫米|公分|多人|人次|星期|礼拜|年|月份|月|周|天|日|号|点半|点|分|秒|名|人|台|吨|万元|亿元|万|亿|元|块钱|块|毛|角|辆|部|条|根|"
    "张|份|批|项|套|座|栋|幢|层|楼|间|户|位|家|件|次|回|趟|拨|桶|箱|柜|车|米|亩|度|瓶|盏|棵|把|只|头|匹|克|斤|里|路|倍|成|期|班|组|级|本|册|处|股|种|颗|片|袋|包|页|瓦|伏|安|方|道|段|门|口|艘|条船|样"
)
_NUMBER: Final = re.compile(
    r"第?(?:\d[\d.,:/~\-]*\d|\d|[零〇一二两三四五六七八九十百千万半几廿]+)(?:[%‰℃]|(?:kva|kv|kw|mpa|mw|km|kg|mm|cm|m|t|w|v|a)(?![a-z]))?"
    rf"(?:多|来|几|余)?(?:[百千万亿]+)?(?:多|来|几|余)?(?:{_UNITS})?(?:半|多)?",
    re.IGNORECASE,
)
_LATIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[.+\-/&_#][A-Za-z0-9]+)*")
_CANNOT: Final = re.compile(
    r"[\u4e00-\u9fff]不(?:上来|上去|下来|下去|出来|出去|进来|进去|过来|过去|起来|到位|[来去上下出到了起动开进通住成完好着掉清满齐拢])"
)
_NUMERALS: Final = frozenset("0123456789零〇一二两三四五六七八九十百千万半几廿第")
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_WEIGHT: Final = {
    UNKNOWN: 0.4, BAD: 2.0, ASK: 0.4, WANT: 0.8, NUMBER: 0.8, PLAIN: 0.4,
}  # fmt: skip


@cache
def _dictionary() -> tuple[dict[str, Token], dict[str, int], dict[str, frozenset[Category]]]:
    """All known words, the longest by first character, and the categories of the topic words."""
    known: dict[str, Token] = {}
    topics: dict[str, set[Category]] = {}
    for category, line in TOPICS.items():
        for word in line.split():
            topics.setdefault(word, set()).add(category)
            known[word] = Token(word, TOPIC, min(3.2, 1.6 + 0.4 * (len(word) - 1)))
    for kind, line in _WORDS_OF.items():
        for word in line.split():
            held = known.get(word)
            if kind in (PLAIN, WANT) and held is not None:
                continue
            if kind == BAD and held is not None and held.kind == TOPIC:
                known[word] = Token(word, TOPIC, held.weight + 1.5)
                continue
            known[word] = Token(word, kind, _WEIGHT.get(kind, 0.0))
    for word in _POINTED.split():
        for near in "这那":
            known[near + word] = Token(near + word, FILL, 0.0)
    for word in w.DANGER:
        known[word] = Token(word, TOPIC, 3.6)
    longest: dict[str, int] = {}
    for word in known:
        longest[word[0]] = max(longest.get(word[0], 0), len(word))
    return known, longest, {word: frozenset(of) for word, of in topics.items()}


def tokens(text: str) -> list[Token]:
    """The words of a text: the longest known word at each place, numbers with their units."""
    known, longest, _ = _dictionary()
    found: list[Token] = []
    at, size = 0, len(text)
    refusing = text.find("不")
    while at < size:
        first = text[at]
        token = None
        for n in range(longest.get(first, 0), 0, -1):
            token = known.get(text[at : at + n])
            if token is not None:
                break
        if first in _NUMERALS and (token is None or len(token.text) == 1):
            token = _matched(_NUMBER, NUMBER, text, at) or token
        elif first in _LETTERS and (token is None or len(token.text) < 4):
            token = _matched(_LATIN, NUMBER, text, at) or token
        if at + 1 == refusing and (token is None or len(token.text) < 3):
            token = _matched(_CANNOT, BAD, text, at) or token
        if token is None:
            token = _single(first)
        found.append(token)
        at += len(token.text)
        if refusing >= 0 and refusing <= at:
            refusing = text.find("不", at + 1)
    return found


def _matched(pattern: re.Pattern[str], kind: int, text: str, at: int) -> Token | None:
    match = pattern.match(text, at)
    return None if match is None else Token(match.group(), kind, _WEIGHT[kind])


@lru_cache(maxsize=4096)
def _single(sign: str) -> Token:
    return Token(sign, UNKNOWN, _WEIGHT[UNKNOWN]) if sign.isalnum() else Token(sign, MARK, 0.0)


_NOTHING_SEEN: Final = {
    "[图片]": "图片反映的情况", "[视频]": "视频反映的情况", "[语音]": "语音反映的情况", "[文件]": "文件反映的情况", "[位置]": "位置反映的情况",
}  # fmt: skip
_UNSAID: Final = "情况待了解"
_PLACEHOLDER: Final = re.compile(r"\[[^\[\]\n]{1,8}\]")
_LINK: Final = re.compile(r"https?://\S+|发自我的\S+|-{4,}[^\n]*")
_MENTION: Final = re.compile(
    r"@(?:所有人|机器人|小港|办公室|联络员[\u4e00-\u9fff]{1,2}|[^\s@,，。:：;；、!！?？]{1,12}(?=[\s,，。:：;；、!！?？]|$))[\s\u2005]*"
)
_SURNAMES: Final = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章云苏潘葛奚范彭郎鲁韦马苗花方俞任袁柳史唐费廉岑薛雷贺倪汤"
    "殷罗毕郝邬安常乐于傅皮卞齐康伍余顾孟黄萧尹姚邵汪祁毛狄贝明臧计成戴宋庞熊纪舒屈项祝董梁杜阮蓝季贾江童颜郭梅林钟徐邱骆高夏蔡田樊胡凌霍"
    "万柯管卢莫房解应宗丁宣邓单洪包左石崔龚程陆曾白叶易楼丘芮储靳段侯武刘景龙詹温庄晏柴阎翟蒲桑桂牛边燕冀尚温向简饶曲岳"
)
_TITLES: Final = "总|工|主任|经理|科长|科|局长|局|处长|处|书记|老师|姐|哥|师傅|所长|部长|厂长|站长|队长|老板|秘书|部|律师"
# That something will be told is not what is told.
_PREAMBLE: Final = re.compile(
    r"^(?:我|我们)?(?:先|来)?(?:把|将)?.{0,4}(?:背景|来龙去脉|情况|事情)(?:讲|说|交代|汇报)(?:清楚|一下|明白)"
    r"[,，。:：](?:免得|省得)?(?:大家|你们|各位)?(?:来回|反复)?问?[,，。]?|^(?:长话短说|说来话长)[,，。:：]"
)
_CALL: Final = re.compile(
    r"^[\s,，。!！]*(?:[喂哎唉诶嗨嘿嗯呃啊]+[\s,，]*)?(?:那个)?"
    rf"(?:(?:[小老][{_SURNAMES}]){{1,2}}|[{_SURNAMES}](?:{_TITLES})|(?:各位)?领导们?|各位|小港)"
    r"(?:(?:啊|呀|嘛|哎|呐|吗)+|(?=你|您|帮|麻烦|请|我|[\s,，。!！:：]|那个|辛苦|在|早))"
)
_SELF: Final = re.compile(
    rf"^(?:你好|您好)?(?:我们?|这里|这边|咱们?)(?:这边|这里|这儿)?是.{{2,8}}?(?:的|公司|厂|[小老][{_SURNAMES}]|[{_SURNAMES}](?:{_TITLES}))$"
)
_REPORTED: Final = re.compile(
    r"^.{2,9}?(?:反映|反馈|来电|来电话|打电话来|打来电话|走访|走访情况|表示|提出|求助|咨询|报告|汇报|讲|说)$"
)
_LABEL: Final = re.compile(
    r"^(?:主题|标题|事由|转发|汇总|整理|致.{0,8}|问题|困难|诉求|需求|情况|补充|提醒|抄送|发件人|收件人|地点|时间|参加人?|经营情况|主要困难|主要问题|存在问题|[A-Za-z]{1,7})$"
)
_TROUBLES: Final = re.compile(r"(?:困难|问题|诉求|需求|难处|愁|盼)[^,，。:：]{0,4}$")
_CUTS: Final = frozenset(",，。!！?？;；:：\n…()（）【】[]")
_KEPT: Final = frozenset("、/+-·×&")
_SPACES: Final = frozenset(" \t\u3000\u2005\u00a0")
_DROPPED: Final = frozenset((FILL, POLITE, LINK, END, MARK))
# What a clause must tell more for each that stands before it, and to be joined to another.
LATER: Final = 1.6
JOINED: Final = 0.7
_PARTICLES: Final = _listed("了 啊 呀 嘛 呢 吧 吗 哦 哈 啦 么 伐 的话")
_OPENS: Final = _listed(
    "我的 我们的 就是 反正 现在 结果 目前 后来 听说 据说 说是 我们 我们厂 我们公司 我司 我厂 我们这边 你们"
)
# These say something inside a clause, though nothing at its edge.
_HELD: Final = _listed("了 呢 还 可能 应该 直接 到底 好像 大概 请 帮 你们 您 你 大家")
_REFUSALS: Final = frozenset("不没未别")
# A clause that begins so tells what followed, what if, or what somebody heard.
_AFTERWARDS: Final = _listed(
    "所以 结果 导致 造成 于是 因此 不然 否则 要不 要不然 弄得 搞得 害得 使得 再 再再 如果 要是 假如 万一 听说 据说 说是 讲是 虽然 尽管 因为 由于 原来 原先 以前 当时 当年 去年 前年"
)
_CONDITIONS: Final = _listed("只有 只要 除非 如果 要是 假如 万一 即使 哪怕 要不是 听说 据说")
_SOFT_TIMES: Final = _listed(
    "最近 近期 近来 近日 这两天 这几天 这阵子 这段时间 这一阵 现在 目前 眼下 当前 如今 已 已经 一直 老是 总是 后来 原来 之前"
)


class Clause(NamedTuple):
    """A piece of a message without its courtesies, as a part of a title."""

    text: str
    words: tuple[Token, ...]
    worth: float
    place: int = 0


def title_of(text: str, category: Category | None = None) -> str:
    """At most 20 characters that a leader can read alone; never a greeting, never half a word."""
    seen = _PLACEHOLDER.search(text)
    said = cleaned(text)
    best = _best([_short(c, category) for c in _clauses(said, category)])
    if best:
        return best
    if seen is not None and not said:
        return _NOTHING_SEEN.get(seen.group(), _NOTHING_SEEN["[图片]"])
    return _left_over(said)


def cleaned(text: str) -> str:
    """What was newly said, without place-holders, addresses and the names of those called upon."""
    said = _LINK.sub(" ", _PLACEHOLDER.sub(" ", without_quote(fold(text)[:2000])))
    said = _MENTION.sub(" ", said) if "@" in said else said
    said = said[:_READ].strip().replace("啦", "了").replace("了了", "了")
    said = _CALL.sub("", said, count=1).strip(" ,，。!！~～:：")
    return _PREAMBLE.sub("", said) or said


def _left_over(said: str) -> str:
    """Of a text in which nothing was found: what stands in it, unless it is only a greeting."""
    known = [t for t in tokens(said) if t.kind not in _DROPPED]
    if not known:
        return _UNSAID
    bare = "".join(t.text for t in tokens(said) if t.kind != MARK)
    return _window([t for t in tokens(said) if t.kind != MARK]) if len(bare) > MOST else bare


def _clauses(said: str, category: Category | None) -> list[Clause]:
    """The clauses of a message that say something."""
    found: list[Clause] = []
    words = tokens(said)
    piece: list[Token] = []
    bonus, place = 0.0, 0
    last = len(words) - 1
    for n, token in enumerate(words):
        ends = token.kind == MARK and (
            token.text in _CUTS or (token.text in _SPACES and _space_cuts(words, n))
        )
        if not ends and (token.kind != MARK or token.text in _KEPT):
            piece.append(token)
        if (ends or n == last) and piece:
            label = ends and token.text in ":："
            for part in _parted(piece):
                clause = _clause(part, category, label)
                if clause is not None:
                    found.append(clause._replace(worth=clause.worth + bonus, place=place))
                    place += 1
            raw = "".join(t.text for t in piece)
            bonus = 1.5 if label and _TROUBLES.search(raw) else 0.0 if label else bonus * 0.6
            piece = []
        if len(found) >= 14:
            break
    return found


def _space_cuts(words: list[Token], n: int) -> bool:
    """A space stands for a comma, but not beside a number: 「招 5 人」."""
    before = words[n - 1].kind if n else MARK
    after = words[n + 1].kind if n + 1 < len(words) else MARK
    return NUMBER not in (before, after)


def _parted(piece: list[Token]) -> list[list[Token]]:
    """A clause too long for a title, cut where the speaker could have drawn breath."""
    if sum(len(t.text) for t in piece) <= MOST:
        return [piece]
    parts: list[list[Token]] = [[]]
    for n, token in enumerate(piece):
        held = parts[-1]
        if len(held) >= 2 and sum(len(t.text) for t in held) >= 4 and n + 1 < len(piece):
            before = held[-1]
            open_end = before.kind in (BOUND, LINK, WANT, ASK) or before.text in _NEEDS_OBJECT
            starts = (token.kind == LINK and len(token.text) > 1) or token.text in _OPENS
            if before.text in _PARTICLES or (starts and not open_end):
                parts.append([])
        parts[-1].append(token)
    return parts


def _clause(piece: list[Token], category: Category | None, label: bool) -> Clause | None:
    raw = "".join(t.text for t in piece)
    if len(raw) <= 14 and (_SELF.match(raw) or (label and _LABEL.match(raw))):
        return None
    words = _trimmed(piece)
    text = "".join(t.text for t in words)
    worth = _worth(words, category)
    if len(text) < 2 or (len(text) <= 8 and _CALL.sub("", raw + "，").strip("，") == ""):
        return None
    first = piece[0].text
    if first in _AFTERWARDS or first[0] in "这那":
        worth -= 1.2
    if label or (len(raw) <= 11 and _REPORTED.match(raw)):
        worth -= 2.0
    if piece[0].kind == POLITE and words and words[0].kind in (WANT, ASK):
        worth *= 0.6
    if words[-1].kind == BOUND or words[-1].text in _NEEDS_OBJECT:
        worth -= 1.0
    return Clause(text, tuple(words), worth)


def _idle(token: Token, at: int) -> bool:
    """Whether a title loses nothing without this word at its head."""
    if token.text in _CONDITIONS:
        return False
    if token.kind in _DROPPED or token.kind == WHO or token.text in _SOFT_TIMES:
        return True
    return token.text == "可" or (at > 0 and token.text in "的地得")


def _trimmed(piece: list[Token]) -> list[Token]:
    """Without the courtesies, fillers and subjects around it."""
    start, stop = 0, len(piece)
    while start < stop and _idle(piece[start], start):
        start += 1
    while stop > start:
        token = piece[stop - 1]
        held = stop - start > 1 and piece[stop - 2].text in _REFUSALS  # 「不还」
        if token.kind in _DROPPED and token.text not in ("了", "呢") and not held:
            stop -= 1
        else:
            break
    return piece[start:stop]


def _worth(words: list[Token], category: Category | None) -> float:
    """How much a run of words tells; what is said twice counts once."""
    of = _dictionary()[2]
    total = 0.0
    for token in dict.fromkeys(words):
        weight = token.weight
        if category is not None and token.kind == TOPIC and category in of.get(token.text, ()):
            weight *= 1.5
        total += weight
    return total


def _short(clause: Clause, category: Category | None) -> Clause:
    """The clause, or what of it fits into a title."""
    if len(clause.text) <= MOST:
        return clause
    words = list(clause.words)
    for kinds in ((FILL, POLITE, END), (WHO,), (WHEN,)):
        words = _without(words, kinds)
        text = "".join(t.text for t in words)
        if len(text) <= MOST:
            return clause._replace(text=text, words=tuple(words))
    text = _window(words)
    kept = tokens(text)
    worth = clause.worth - _worth(words, category) + _worth(kept, category)
    return clause._replace(text=text, words=tuple(kept), worth=worth)


def _without(words: list[Token], kinds: tuple[int, ...]) -> list[Token]:
    """Without the words of these kinds; 「我们的」 goes as a whole."""
    kept: list[Token] = []
    dropped = False
    for token in words:
        if token.kind in kinds and token.text not in _HELD:
            dropped = True
            continue
        if not (dropped and token.text == "的"):
            kept.append(token)
        dropped = False
    return kept


def _window(words: list[Token]) -> str:
    """The part of a long clause that tells most, from the start of a word to the end of one."""
    ends = [_end_cost(words, n) for n in range(len(words))]
    starts = [_start_cost(words, n) for n in range(len(words))]
    best, chosen = float("-inf"), (0, 1)
    for a in range(len(words)):
        size, told = 0, -starts[a]
        for b in range(a, len(words)):
            size += len(words[b].text)
            if size > MOST:
                break
            told += words[b].weight
            if told - ends[b] > best:
                best, chosen = told - ends[b], (a, b + 1)
    return "".join(t.text for t in words[chosen[0] : chosen[1]]).strip("、/+-")[:MOST]


def _end_cost(words: list[Token], n: int) -> float:
    """What it costs to end behind word `n`."""
    here = words[n]
    if n + 1 == len(words):
        return 0.0
    after = words[n + 1]
    if here.kind == UNKNOWN and after.kind == UNKNOWN:
        return 20.0
    cost = 1.5
    if here.kind in (BOUND, LINK, MARK) or here.text in _NEEDS_OBJECT:
        cost += 8.0
    if here.kind in (WANT, WHEN, WHO, ASK):
        cost += 2.0
    if after.text in "的了得着过率性化者" or after.kind == MARK:
        cost += 4.0
    if after.kind == UNKNOWN or here.kind == UNKNOWN:
        cost += 2.0
    if here.kind == NUMBER and after.kind != MARK:
        cost += 2.0
    if after.kind == NUMBER and here.kind == BAD:
        cost += 1.5
    return cost


def _start_cost(words: list[Token], n: int) -> float:
    """What it costs to begin with word `n`."""
    here = words[n]
    cost = 0.0 if n == 0 else 1.5
    if here.kind in (END, MARK) or here.text in "的地得着过":
        cost += 8.0
    if n and here.kind == UNKNOWN and words[n - 1].kind == UNKNOWN:
        cost += 20.0
    elif n and words[n - 1].kind == UNKNOWN:
        cost += 6.0
    elif n and (here.kind == UNKNOWN or len(words[n - 1].text) == 1):
        cost += 1.0
    return cost


def _best(clauses: list[Clause]) -> str:
    """The neighbouring clauses that together tell most within the length of a title."""
    best, chosen = 0.0, ""
    for first in range(len(clauses)):
        text, worth = "", -LATER * clauses[first].place
        for clause in clauses[first:]:
            joined = f"{text}，{clause.text}" if text else clause.text
            if len(joined) > MOST:
                break
            text, worth = joined, worth + clause.worth - (JOINED if text else 0.0)
            value = worth - max(0.0, 0.5 * (7 - len(text)))
            if value > best or not chosen:
                best, chosen = value, text
    return chosen.strip("，、/+- ")


def categories_of(word: str) -> frozenset[Category]:
    """The categories whose matter a word of the trade names."""
    return _dictionary()[2].get(word, frozenset())
