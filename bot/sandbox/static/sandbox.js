// The sandbox page: who one is, which chat is open, what comes in, the clock and the guide.
import { Composer } from "./composer.js";
import { $, button, face, isNarrow, make, onPhone } from "./dom.js";
import { Flow } from "./flow.js";
import { call, query } from "./net.js";
import { People } from "./people.js";
import { brief, full, hereAndNow, now, parse, setClock } from "./times.js";
import { MAIN, ROLE_NAMES, STEPS } from "./words.js";

const PAGE = 200;
const state = {
  me: remembered("me", ""),
  chat: MAIN,
  chats: [],
  cursor: "",
  turn: 0,
  bot: "小港",
  seen: remembered("seen", {}),
  stream: null,
  movable: true,
};
const people = new People({ become: (id) => become(id).catch(complain) });
const composer = new Composer({ people: mentionable, bot: () => state.bot, send });
const flow = new Flow({
  me: () => state.me,
  names: () => [state.bot, ...people.all.map((one) => one.name)],
  press,
  quote: (item) => composer.quote(item),
  menu: openMenu,
  look,
});

function remembered(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(`sandbox.${key}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}
function remember(key, value) {
  try {
    localStorage.setItem(`sandbox.${key}`, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing only forgets which messages were read.
  }
}
const complain = (error) => composer.fault(error.message);
const direct = () => `dm:${state.me}`;

function mentionable() {
  return people.all.map((one) => ({ name: one.name, role: ROLE_NAMES[one.role] || "" }));
}

async function become(id, chat = undefined) {
  state.me = id;
  remember("me", id);
  people.become(id);
  hint(null);
  listen();
  await open(chat ?? (state.chat === MAIN ? MAIN : direct()), { page: undefined });
}

async function drawChats() {
  const me = state.me;
  const { items } = await call(query("chats", { as: me }));
  if (me !== state.me) return;
  state.chats = items;
  state.bot = items.find((one) => one.kind === "direct")?.title || state.bot;
  const held = $("chats").contains(document.activeElement) ? document.activeElement.dataset.id : "";
  $("chats").replaceChildren(...items.map((one) => {
    // Whoever has just become somebody else still sees the list of who they were: the chat with the bot is one's own.
    const chat = () => (one.kind === "direct" ? direct() : one.id);
    const row = button("", "chat", () => open(chat(), { page: "talk" }).catch(complain));
    row.dataset.id = one.id;
    row.setAttribute("aria-current", String(one.id === state.chat));
    const sign = one.kind === "direct" ? face({ is_bot: true }) : make("span", "face group-face", "群");
    const time = make("span", "when", one.last ? brief(one.last.at) : "");
    if (one.last) time.title = full(one.last.at);
    const last = make("span", "last", one.last ? one.last.text.replace(/\s+/g, " ") : "还没有消息");
    row.append(sign, make("span", "name", one.title), time, last);
    if (isUnread(me, one) && (one.id !== state.chat || document.body.dataset.page === "list" && onPhone())) {
      const dot = make("i", "dot");
      dot.append(make("span", "unseen", "有新消息"));
      row.append(dot);
    }
    return row;
  }));
  if (held) $("chats").querySelector(`[data-id="${CSS.escape(held)}"]`)?.focus();
}

// Compared by equality: a fresh demo starts its numbers again.
function isUnread(me, chat) {
  if (!chat.last) return false;
  const [id, at] = state.seen[`${me}|${chat.id}`] || [];
  return chat.last.id === undefined ? chat.last.at !== at : chat.last.id !== id;
}
function markSeen() {
  const last = flow.items().at(-1);
  if (!last) return;
  state.seen[`${state.me}|${state.chat}`] = [String(last.id), last.at];
  remember("seen", state.seen);
}

// The other example identities get a dot when the bot wrote to them: that is where the story goes on.
async function lookAround() {
  await Promise.all(people.quick().map(async ([id]) => {
    if (id === state.me) return;
    const { items } = await call(query("chats", { as: id }));
    const own = items.find((one) => one.id === `dm:${id}`);
    people.tell(id, Boolean(own) && isUnread(id, own));
  }));
}
let soon = 0;
function refresh() {
  clearTimeout(soon);
  soon = setTimeout(() => Promise.all([drawChats(), lookAround()]).catch(() => {}), 250);
}

async function open(chat, { page = undefined } = {}) {
  const turn = ++state.turn;
  state.chat = chat;
  state.cursor = "";
  const inGroup = chat === MAIN;
  composer.turn(`${state.me}|${chat}`);
  hint(null);
  if (page) goTo(page);
  const me = people.byId.get(state.me);
  const [whole, short] = inGroup ? [`说说是什么事，可以 @${state.bot}`, "说说是什么事"] : ["直接说就行，发「帮助」看能做什么", "直接说就行"];
  $("text").placeholder = onPhone() ? short : whole;
  $("as").textContent = me ? `以 ${me.name} 的身份发言。回车发送，Shift 加回车换行。` : "";
  flow.clear();
  drawTitle();
  await more(turn, true);
  if (turn !== state.turn) return;
  flow.empty(inGroup
    ? "群里还没有消息。跟着「时钟与指引」里的五步走一遍，或者直接说一个困难。"
    : `这里只有您和${state.bot}看得见。发「帮助」看能做什么。`);
  flow.toEnd();
  await drawChats();
  drawTitle();
  lookAround().catch(() => {});
}

function drawTitle() {
  const chat = state.chats.find((one) => one.id === state.chat);
  const inGroup = state.chat === MAIN;
  $("title").textContent = chat?.title || (inGroup ? "老洪港服务重点工业企业" : state.bot);
  $("subtitle").textContent = inGroup ? "企业、联络员、分管领导和办公室都在" : "一对一，别人看不见";
}

async function more(turn = state.turn, quiet = false) {
  for (;;) {
    const { items, cursor } = await call(query("messages", { chat: state.chat, after: state.cursor, as: state.me }));
    if (turn !== state.turn) return;
    state.cursor = cursor;
    for (const item of items) arrive(item, quiet);
    if (items.length < PAGE) break;
  }
  markSeen();
}

function arrive(item, quiet) {
  if (item.chat !== state.chat) return;
  if (!flow.put(item, { quiet }) || quiet) return;
  if (item.sender.id === state.me) composer.echo(item);
  else $("live").textContent = `${item.sender.name}：${item.text}`;
  markSeen();
}

async function send(body) {
  const { chat, turn } = state;
  await call("messages", { chat, sender: state.me, ...body });
  if (turn === state.turn) {
    await more(turn);
    flow.toEnd();
  }
  done();
  refresh();
}

async function press(item, id, picked) {
  const { turn } = state;
  try {
    const { toast, card } = await call("press", { message_id: item.id, button: id, by: state.me, picked });
    if (turn !== state.turn) return;
    flow.put({ ...(flow.get(item.id) || item), card: card || item.card });
    flow.note(item.id, toast, false);
    await more(turn);
    done();
  } catch (error) {
    flow.note(item.id, error.message, true);
  }
  refresh();
}

// One's own line of events; a break is told, and what was missed is fetched when it is back.
function listen() {
  state.stream?.close();
  const stream = new EventSource(query("/sandbox/api/events", { as: state.me }));
  state.stream = stream;
  const heard = (event) => {
    if (stream !== state.stream) return;
    arrive(JSON.parse(event.data), false);
    refresh();
  };
  stream.addEventListener("message", heard);
  stream.addEventListener("update", heard);
  stream.addEventListener("clock", (event) => showClock(JSON.parse(event.data), true));
  stream.onopen = () => {
    if (!$("lost").hidden) more().then(refresh).catch(() => {});
    $("lost").hidden = true;
  };
  stream.onerror = () => {
    $("lost").hidden = stream !== state.stream;
  };
}

let menuItem = null;
function openMenu(item, x, y) {
  menuItem = item;
  const menu = $("menu");
  menu.hidden = false;
  menu.style.left = `${Math.max(8, Math.min(x, innerWidth - menu.offsetWidth - 8))}px`;
  menu.style.top = `${Math.max(8, Math.min(y, innerHeight - menu.offsetHeight - 8))}px`;
  $("menu-quote").focus();
}
function closeMenu() {
  $("menu").hidden = true;
}
$("menu-quote").onclick = () => {
  closeMenu();
  composer.quote(menuItem);
};
$("menu-copy").onclick = () => {
  closeMenu();
  copy(menuItem.text);
};
$("menu").onkeydown = (event) => {
  if (!["ArrowDown", "ArrowUp"].includes(event.key)) return;
  event.preventDefault();
  ($("menu-quote") === document.activeElement ? $("menu-copy") : $("menu-quote")).focus();
};
document.addEventListener("pointerdown", (event) => event.target.closest("#menu") || closeMenu());
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    composer.fault("浏览器不让复制，请选中文字后按 Ctrl 加 C。");
  }
}

function look(picture) {
  $("viewer-image").src = picture.url;
  $("viewer-image").alt = picture.name || "图片";
  $("viewer").showModal();
}
$("viewer").onclick = () => $("viewer").close();

function showClock(clock, moved) {
  const before = hereAndNow().day;
  setClock(clock.now, moved);
  state.movable = clock.movable;
  $("calendar").textContent = clock.calendar_note || "";
  for (const node of document.querySelectorAll("#clock-buttons button, #clock-form input, #clock-form button")) {
    node.disabled = !clock.movable;
  }
  tick();
  if (before !== hereAndNow().day) {
    flow.retime();
    refresh();
  }
}
let shownDay = "";
function tick() {
  const { day, time } = hereAndNow();
  $("clock-day").textContent = day;
  $("clock-time").textContent = time;
  if (shownDay && shownDay !== day) flow.retime();
  shownDay = day;
}
async function move(body, words) {
  $("clock-fault").hidden = true;
  $("clock-told").textContent = "正在走到那个时间，到期的提醒会逐条发出。";
  $("side").setAttribute("aria-busy", "true");
  for (const node of $("clock-buttons").children) node.disabled = true;
  try {
    showClock(await call("clock", body), true);
    const { day, time } = hereAndNow();
    $("clock-told").textContent = `${words}现在是 ${day} ${time}。`;
    await more();
    refresh();
    return true;
  } catch (error) {
    $("clock-told").textContent = "";
    $("clock-fault").textContent = error.message;
    $("clock-fault").hidden = false;
    return false;
  } finally {
    $("side").removeAttribute("aria-busy");
    for (const node of $("clock-buttons").children) node.disabled = !state.movable;
  }
}
$("clock-buttons").onclick = (event) => {
  const advance = event.target.dataset.advance;
  if (advance) move({ advance }, "拨好了，");
};
$("clock-form").onsubmit = async (event) => {
  event.preventDefault();
  const at = parse($("clock-at").value);
  if (!at) {
    $("clock-fault").textContent = "请写成「明天 8:30」「周五 14:00」或「11-25 8:30」。";
    $("clock-fault").hidden = false;
    $("clock-at").focus();
    return;
  }
  if (Date.parse(at) <= now()) {
    $("clock-fault").textContent = "时钟只能往后拨，请写一个更晚的时间。";
    $("clock-fault").hidden = false;
    $("clock-at").focus();
    return;
  }
  if (await move({ set: at }, "拨好了，")) $("clock-at").value = "";
};

let current = null;
const walked = new Set();
function drawSteps() {
  $("steps").replaceChildren(...STEPS.map((step, n) => {
    const row = make("li");
    row.classList.toggle("current", n === current);
    const main = button("", "step", () => walk(n));
    const who = people.byId.get(step.who);
    main.append(make("b", "number", walked.has(n) ? "✓" : String(n + 1)));
    const words = make("span", "step-words");
    words.append(make("strong", "", step.title), make("small", "", step.then));
    if (who) words.append(make("small", "step-who", `以 ${who.name} 的身份`));
    main.append(words);
    if (walked.has(n)) main.append(make("span", "unseen", "，已做过"));
    row.append(main);
    return row;
  }));
}
async function walk(n, other = false) {
  const step = STEPS[n];
  current = n;
  drawSteps();
  try {
    await become(step.who, step.chat === "group" ? MAIN : `dm:${step.who}`);
  } catch (error) {
    complain(error);
    return;
  }
  goTo("talk");
  if (isNarrow()) showSide(false);
  guide(step, n, other);
}
function guide(step, n, other) {
  const number = ticketNumber();
  if ((other || !step.fill) && step.press) {
    const found = flow.point(other ? step.other.press : step.press);
    hint(n, found ? `按这张卡片上的「${step.press}」。${step.then}` : step.before, !found);
    return;
  }
  if (step.chat === "direct" && !number) {
    hint(n, step.before, true);
    return;
  }
  composer.fill(step.fill(number));
  hint(n, `写好了，按「发送」。${step.then}`);
}
// The number of the newest ticket this chat speaks of.
function ticketNumber() {
  for (const item of flow.items().reverse()) {
    const found = /#(\d{3,})/.exec(item.card?.title || "") || /#(\d{3,})/.exec(item.text);
    if (found) return found[1];
  }
  return null;
}
function hint(n, text = "", missing = false) {
  $("hint").hidden = n === null;
  if (n === null) {
    if (current !== null) {
      current = null;
      drawSteps();
    }
    return;
  }
  const step = STEPS[n];
  const bar = make("div", "hint-buttons");
  if (missing && n > 0) bar.append(button(`去第 ${n} 步`, "plain", () => walk(n - 1)));
  if (!missing && step.other) bar.append(button(step.other.label, "plain", () => {
    composer.fill("");
    guide(step, n, true);
  }));
  bar.append(button("收起", "ghost", () => hint(null)));
  const words = make("p");
  words.append(make("strong", "", `第 ${n + 1} 步 `), text);
  $("hint").replaceChildren(words, bar);
  current = n;
  drawSteps();
}
// What a person just did may have been the step: then offer the next one.
function done() {
  if (current === null) return;
  const n = current;
  walked.add(n);
  const next = STEPS[n + 1];
  const words = make("p");
  words.append(make("strong", "", `第 ${n + 1} 步好了 `), next ? `接下来：${next.title}。` : "一件事走完了。可以拨时钟，看看没人理会时会怎样提醒。");
  const bar = make("div", "hint-buttons");
  if (next) bar.append(button("下一步", "main", () => walk(n + 1)));
  bar.append(button("收起", "ghost", () => hint(null)));
  $("hint").replaceChildren(words, bar);
  $("hint").hidden = false;
  drawSteps();
}

$("play").onclick = async () => {
  $("play").disabled = true;
  $("play-told").textContent = "正在开始。";
  try {
    await open(MAIN, { page: "talk" });
    await call("play", {});
    $("play-told").textContent = "正在大群里播放，大约二十秒。";
    if (isNarrow()) showSide(false);
  } catch (error) {
    $("play-told").textContent = error.message;
  } finally {
    setTimeout(() => {
      $("play").disabled = false;
      $("play-told").textContent = "";
    }, 20_000);
  }
};

// On a phone the list, the conversation and the guide are pages, and the back key walks them.
function goTo(page) {
  if (onPhone() && document.body.dataset.page !== page && page !== "list") history.pushState({ page }, "");
  document.body.dataset.page = page;
}
addEventListener("popstate", (event) => {
  if (isNarrow()) drawSide(Boolean(event.state?.side));
  document.body.dataset.page = event.state?.page || "list";
  refresh();
});
$("back").onclick = () => {
  if (history.state?.page) history.back();
  else document.body.dataset.page = "list";
  refresh();
};
function showSide(show) {
  if (onPhone() && show) history.pushState({ page: document.body.dataset.page, side: true }, "");
  else if (onPhone() && history.state?.side) history.replaceState({ page: document.body.dataset.page }, "");
  drawSide(show);
  if (!isNarrow()) remember("side", show);
}
function drawSide(show) {
  document.body.classList.toggle("side-open", show);
  $("side").hidden = !show;
  $("side-toggle").setAttribute("aria-expanded", String(show));
}
$("side-toggle").onclick = () => {
  showSide($("side").hidden);
  if (isNarrow() && !$("side").hidden) $("side-close").focus();
};
$("side-close").onclick = () => {
  showSide(false);
  $("side-toggle").focus();
};
matchMedia("(max-width: 1080px)").addEventListener("change", () => drawSide(!isNarrow() && remembered("side", true)));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (!$("menu").hidden) {
    closeMenu();
    $("text").focus();
  } else if (isNarrow() && !$("side").hidden) showSide(false);
});

async function start() {
  drawSide(!isNarrow() && remembered("side", true));
  document.body.dataset.page = "list";
  history.replaceState(null, "");
  try {
    people.load(await call("people"));
    showClock(await call("clock"), true);
    if (!people.all.length) {
      flow.empty("还没有企业和人员。请先导入名册：在命令行运行 lhg roster import 加文件名。");
      return;
    }
    if (!people.byId.has(state.me)) state.me = people.quick()[0]?.[0] || people.all[0].id;
    await drawChats();
    await become(state.me, MAIN);
    drawSteps();
    if (!onPhone()) $("text").focus();
  } catch (error) {
    complain(error);
    $("fault").append(" ", button("重新打开", "plain", () => location.reload()));
    return;
  }
  setInterval(tick, 1000);
  setInterval(() => call("clock").then((clock) => showClock(clock, false)).catch(() => {}), 20_000);
}
start();
