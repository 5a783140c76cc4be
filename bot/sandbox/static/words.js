// What the page calls things.

export const MAIN = "key-enterprises";
export const ROLES = [
  ["企业联系人", ["manager"]],
  ["联络员", ["liaison"]],
  ["分管领导", ["leader", "chief", "area_head"]],
  ["办公室", ["office"]],
  ["网格", ["grid_chief", "grid_member"]],
];
export const ROLE_NAMES = {
  manager: "企业联系人",
  liaison: "联络员",
  leader: "分管领导",
  office: "办公室",
  chief: "主要负责人",
  area_head: "管理区主任",
  grid_chief: "网格长",
  grid_member: "网格员",
};
export const QUICK = [
  ["E003", "企业"],
  ["P041", "联络员"],
  ["P028", "领导"],
  ["P055", "办公室"],
];
export const KINDS = {
  reminder: "提醒",
  escalation: "升级提醒",
  digest: "汇总",
  brief: "日调度",
  announcement: "通知",
  survey: "问卷",
  question: "请回答",
};
// Which states stand out by fill, by outline only, or not at all.
export const CHIPS = {
  待认领: ["quiet", "fill"],
  办理中: ["info", "fill"],
  待企业补充: ["warn", "line"],
  已转部门: ["warn", "line"],
  挂账: ["quiet", "line"],
  已办结待评价: ["good", "line"],
  待评价: ["good", "line"],
  已销号: ["good", "fill"],
};
export const STEPS = [
  {
    who: "E003",
    chat: "group",
    title: "企业在大群里说一个困难",
    then: "群里出现一张短卡片，联络员私聊里收到工单。",
    fill: () => "@小港 车间缺操作工20人，临时招不到",
  },
  {
    who: "P041",
    chat: "direct",
    title: "联络员打开私聊，按「认领」",
    then: "卡片变成办理中，企业马上知道谁在办。",
    press: "认领",
    before: "先做第 1 步，这里才会有待认领的工单。",
  },
  {
    who: "P041",
    chat: "direct",
    title: "联络员写一条进展",
    then: "企业在私聊里收到这条进展，时限重新计算。",
    fill: (number) => `进展 ${number} 已联系人力资源市场，明天上午到厂对接`,
    before: "先做前两步，这里才会有办理中的工单。",
  },
  {
    who: "P041",
    chat: "direct",
    title: "联络员用一句结果办结",
    then: "企业收到一张评价卡片。只写「已处理」会被退回，要写清结果。",
    fill: (number) => `办结 ${number} 推荐26人面试，录用20人，今天全部到岗`,
    before: "先做前三步，这里才会有可办结的工单。",
  },
  {
    who: "E003",
    chat: "direct",
    title: "企业回答是不是解决了",
    then: "回「还是缺人」会重新办理并告诉领导；按「非常满意」就销号。",
    fill: () => "还是缺人",
    other: { label: "改按「非常满意」", press: "非常满意" },
    press: "非常满意",
    before: "先做前四步，这里才会有待评价的卡片。",
  },
];
