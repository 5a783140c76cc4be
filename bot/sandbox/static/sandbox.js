// The sandbox page: people, chats, cards, a movable clock. No text of a person is ever markup.
const MAIN = "key-enterprises";
const BOT = "小港";
const QUICK = [["E003", "企业 张经理"], ["P041", "联络员小周"], ["P028", "许主任"], ["P055", "办公室值班"]];
const ROLES = { manager: "企业联系人", liaison: "联络员", leader: "分管领导", office: "办公室", chief: "主要负责人", grid_chief: "网格长", grid_member: "网格员", area_head: "管理区主任" };
const STEPS = [
  { who: "E003", chat: "group", text: "@小港 车间缺操作工20人，临时招不到", title: "企业在大群里说一句", then: "群里出现一张短卡片，联络员收到工单" },
  { who: "P041", chat: "dm", title: "联络员打开私聊，按「认领」", then: "企业马上知道谁在办" },
  { who: "P041", chat: "dm", text: "进展 已联系人社局，周三组织专场招聘", title: "联络员写一条进展", then: "企业收到进展" },
  { who: "P041", chat: "dm", text: "办结 专场招聘到岗12人，其余由劳务公司补齐", title: "联络员用一句话办结", then: "企业收到确认卡片" },
  { who: "E003", chat: "dm", text: "还是缺人", title: "企业说「还是缺人」，或按「非常满意」", then: "没解决会重新办理并报告领导" },
];
const $ = (id) => document.getElementById(id);
const state = { me: localStorage.getItem("me") || "E003", chat: MAIN, people: [], byId: new Map(), items: new Map(), cursor: "", quote: null, pictures: [], stream: null, seen: JSON.parse(localStorage.getItem("seen") || "{}"), offset: 0, movable: false, suggestion: -1 };

async function call(path, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let response;
  try { response = await fetch(`/sandbox/api/${path}`, options); } catch { throw new Error("连不上服务，请检查后重试。"); }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error?.message || "没有成功，请再试一次。");
  return answer;
}
function make(tag, className, text) { const node = document.createElement(tag); if (className) node.className = className; if (text !== undefined) node.textContent = text; return node; }
function fault(error) { $("fault").textContent = error ? error.message : ""; $("fault").hidden = !error; }
function toast(text) { if (!text) return; $("toast").textContent = text; $("toast").hidden = false; clearTimeout(toast.timer); toast.timer = setTimeout(() => { $("toast").hidden = true; }, 4000); }
const direct = () => `dm:${state.me}`;
const shortName = (name) => name.split("-").pop().replace(/^联络员|^网格[长员]/, "").slice(-2);

// ---- who and which chat
function drawQuick() {
  $("quick").replaceChildren(...QUICK.filter(([id]) => state.byId.has(id)).map(([id, label]) => {
    const button = make("button", "", label); button.type = "button";
    button.setAttribute("aria-pressed", String(id === state.me)); button.onclick = () => become(id); return button;
  }));
  const me = state.byId.get(state.me); $("person").value = ""; $("person").placeholder = me ? `我是：${me.name}` : "换个身份";
}
async function become(id, chat) {
  state.me = id; localStorage.setItem("me", id);
  if (state.chat !== MAIN) state.chat = direct();
  drawQuick(); listen(); await open(chat || state.chat);
}
async function drawChats() {
  const { items } = await call(`chats?as=${encodeURIComponent(state.me)}`);
  $("chats").replaceChildren(...items.map((chat) => {
    const button = make("button"); button.type = "button"; button.onclick = () => open(chat.id);
    button.setAttribute("aria-current", String(chat.id === state.chat));
    const face = make("span", chat.kind === "group" ? "face" : "face bot", chat.kind === "group" ? "群" : "港");
    const name = make("span", "name", chat.title); const key = `${state.me}|${chat.id}`;
    const unread = chat.last && chat.id !== state.chat && Number(chat.last.id) > Number(state.seen[key] || 0);
    const mark = make("span", unread ? "dot" : ""); if (unread) mark.setAttribute("aria-label", "有新消息");
    button.append(face, name, mark, make("span", "last", chat.last ? chat.last.text : "还没有消息")); return button;
  }));
}
async function open(chat) {
  state.chat = chat; state.items.clear(); state.cursor = ""; $("flow").replaceChildren(); quote(null);
  setPage("talk");
  $("title").textContent = chat === MAIN ? "老洪港服务重点工业企业" : `${BOT}（私聊）`;
  $("text").placeholder = chat === MAIN ? "说说是什么事，@小港 登记" : "直接说就行，或发「帮助」";
  await more(true); await drawChats();
}
function setPage(page) { $("frame").dataset.page = page; document.body.dataset.page = page; }

// ---- messages
async function more(bottom) {
  const query = `messages?chat=${encodeURIComponent(state.chat)}&after=${state.cursor}&as=${encodeURIComponent(state.me)}`;
  const { items, cursor } = await call(query); state.cursor = cursor;
  for (const item of items) put(item, bottom);
  if (items.length === 200) return more(bottom);
  if (!state.items.size) $("flow").replaceChildren(make("p", "empty", state.chat === MAIN ? "群里还没有消息。试试右边的五步，或者直接说一个困难。" : "这里是您和小港的私聊。发「帮助」看能做什么。"));
}
function atBottom() { const flow = $("flow"); return flow.scrollHeight - flow.scrollTop - flow.clientHeight < 80; }
function toBottom() { const flow = $("flow"); flow.scrollTop = flow.scrollHeight; $("newer").hidden = true; }
function put(item, force) {
  if (item.chat !== state.chat) return;
  const flow = $("flow"); const stay = !force && !atBottom();
  flow.querySelector(".empty")?.remove();
  const known = state.items.get(item.id); const node = draw(item);
  if (known) { if (known.node.classList.contains("joined")) node.classList.add("joined"); known.node.replaceWith(node); }
  else {
    const last = [...state.items.values()].at(-1)?.item; const day = dayOf(item.at);
    if (!last || dayOf(last.at) !== day) flow.append(make("div", "day", day));
    else if (last.sender.id === item.sender.id && new Date(item.at) - new Date(last.at) < 300000) node.classList.add("joined");
    flow.append(node);
  }
  state.items.set(item.id, { item, node });
  state.seen[`${state.me}|${state.chat}`] = Math.max(Number(item.id), Number(state.seen[`${state.me}|${state.chat}`] || 0));
  localStorage.setItem("seen", JSON.stringify(state.seen));
  if (known) return;
  if (stay && item.sender.id !== state.me) $("newer").hidden = false; else toBottom();
}
const inShanghai = { timeZone: "Asia/Shanghai" };
const dayOf = (at) => new Date(at).toLocaleDateString("zh-CN", { ...inShanghai, month: "long", day: "numeric", weekday: "short" });
const timeOf = (at) => new Date(at).toLocaleTimeString("zh-CN", { ...inShanghai, hour: "2-digit", minute: "2-digit" });
function draw(item) {
  const own = item.sender.id === state.me; const node = make("article", own ? "msg own" : "msg"); node.dataset.id = item.id;
  const face = make("span", item.sender.is_bot ? "face bot" : "face", item.sender.is_bot ? "港" : shortName(item.sender.name));
  face.setAttribute("aria-hidden", "true");
  const stack = make("div", "stack"); const from = make("div", "from", `${item.sender.name} ${timeOf(item.at)}`); from.title = item.at;
  stack.append(from, item.card ? drawCard(item) : drawBubble(item));
  const tools = make("button", "ghost tools", "引用"); tools.type = "button"; tools.onclick = () => quote(item); tools.setAttribute("aria-label", `引用 ${item.sender.name} 的消息`);
  node.oncontextmenu = (event) => { if (!getSelection().toString()) { event.preventDefault(); quote(item); } };
  node.append(face, stack, tools); return node;
}
function drawBubble(item) {
  const bubble = make("div", "bubble");
  if (item.reply_to) { const found = state.items.get(item.reply_to)?.item; if (found) bubble.append(make("div", "quote", `${found.sender.name}：${found.text}`)); }
  const text = make("div", "", item.text); bubble.append(text);
  if (item.text.split("\n").length > 8 || item.text.length > 400) {
    text.classList.add("fold"); const button = make("button", "ghost", "展开"); button.type = "button";
    button.onclick = () => { button.textContent = text.classList.toggle("fold") ? "展开" : "收起"; }; bubble.append(button);
  }
  for (const picture of item.attachments || []) { if (!picture.url.startsWith("data:image/")) continue; const img = make("img"); img.src = picture.url; img.alt = picture.name || "图片"; bubble.append(img); }
  return bubble;
}
function drawCard(item) {
  const card = item.card; const box = make("section", "card"); box.dataset.tone = card.tone; box.setAttribute("aria-label", card.title);
  const head = make("header"); head.append(make("span", "", card.title)); if (card.status) head.append(make("span", "chip", card.status)); box.append(head, make("p", "", card.lead));
  if (card.rows.length) { const list = make("dl"); for (const row of card.rows) list.append(make("dt", "", row.label), make("dd", "", row.value)); box.append(list); }
  if (card.note) box.append(make("div", "note", card.note));
  if (card.buttons.length) {
    const actions = make("div", "actions");
    for (const button of card.buttons) {
      const node = make("button", button.style === "plain" ? "" : button.style, button.label); node.type = "button";
      node.onclick = async () => {
        if (button.url) { window.open(button.url, "_blank", "noopener"); return; }
        if (button.confirm && !window.confirm(button.confirm)) return;
        for (const other of actions.children) other.disabled = true;
        try { const answer = await call("press", { message_id: item.id, button: button.id, by: state.me }); toast(answer.toast); put({ ...item, card: answer.card || item.card }); await more(); await drawChats(); }
        catch (error) { toast(error.message); } finally { for (const other of actions.children) other.disabled = false; }
      };
      actions.append(node);
    }
    box.append(actions);
  }
  return box;
}

// ---- writing
function quote(item) { state.quote = item; $("quoted").hidden = !item; if (item) { $("quoted").firstElementChild.textContent = `引用 ${item.sender.name}：${item.text}`; $("text").focus(); } }
$("quoted").lastElementChild.onclick = () => quote(null);
function grow() { const box = $("text"); box.style.height = "auto"; box.style.height = `${box.scrollHeight + 2}px`; }
async function send() {
  const text = $("text").value; if (!text.trim() && !state.pictures.length) return;
  $("send").disabled = true; fault(null);
  const body = { chat: state.chat, sender: state.me, text, mention_bot: text.includes(`@${BOT}`), reply_to: state.quote?.id || null, attachments: state.pictures, client_id: state.draft || (state.draft = crypto.randomUUID()) };
  try { await call("messages", body); $("text").value = ""; state.draft = ""; state.pictures = []; drawPictures(); quote(null); grow(); await more(true); await drawChats(); }
  catch (error) { fault(error); } finally { $("send").disabled = false; $("text").focus(); }
}
$("write").onsubmit = (event) => { event.preventDefault(); send(); };
$("text").oninput = () => { state.draft = ""; grow(); suggest(); };
$("text").onkeydown = (event) => {
  const list = $("mentions");
  if (!list.hidden && ["ArrowDown", "ArrowUp", "Enter", "Tab", "Escape"].includes(event.key)) {
    event.preventDefault(); const count = list.children.length;
    if (event.key === "Escape") list.hidden = true;
    else if (event.key === "ArrowDown") choose((state.suggestion + 1) % count);
    else if (event.key === "ArrowUp") choose((state.suggestion + count - 1) % count);
    else list.children[state.suggestion].click();
    return;
  }
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
};
function choose(index) { state.suggestion = index; [...$("mentions").children].forEach((node, n) => node.setAttribute("aria-selected", String(n === index))); }
function suggest() {
  const box = $("text"); const before = box.value.slice(0, box.selectionStart); const found = before.match(/@([^\s@]{0,10})$/);
  const names = found ? [BOT, ...state.people.map((p) => p.name)].filter((n) => n.includes(found[1])).slice(0, 6) : [];
  $("mentions").hidden = !names.length;
  $("mentions").replaceChildren(...names.map((name) => { const node = make("li", "", name); node.setAttribute("role", "option");
    node.onclick = () => { const start = before.length - found[0].length; box.value = `${box.value.slice(0, start)}@${name} ${box.value.slice(box.selectionStart)}`; $("mentions").hidden = true; box.focus(); }; return node; }));
  if (names.length) choose(0);
}
function drawPictures() { $("pictures").hidden = !state.pictures.length; $("pictures").replaceChildren(...state.pictures.map((p) => { const img = make("img"); img.src = p.url; img.alt = p.name; return img; })); }
function take(files) { for (const file of files) { if (!file.type.startsWith("image/")) continue; if (file.size > 512 * 1024) { fault(new Error("图片超过 512 KB，请压缩后再发。")); continue; } const reader = new FileReader(); reader.onload = () => { state.pictures.push({ type: "image", name: file.name, url: reader.result }); drawPictures(); }; reader.readAsDataURL(file); } }
$("file").onchange = () => { take($("file").files); $("file").value = ""; };
$("text").onpaste = (event) => { if (event.clipboardData.files.length) { event.preventDefault(); take(event.clipboardData.files); } };

// ---- clock, steps, live events
function showClock(clock) {
  state.clock = new Date(clock.now); state.read = Date.now(); $("calendar").textContent = clock.calendar_note || "";
  for (const node of document.querySelectorAll("#clock-buttons button, #clock-form input, #clock-form button")) node.disabled = !clock.movable;
  tick();
}
function tick() { if (!state.clock) return; const now = new Date(state.clock.getTime() + Date.now() - state.read); $("clock").textContent = now.toLocaleString("zh-CN", { ...inShanghai, month: "long", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit" }); }
async function move(body) { try { showClock(await call("clock", body)); await more(); await drawChats(); } catch (error) { toast(error.message); } }
$("clock-buttons").onclick = (event) => { const advance = event.target.dataset.advance; if (advance) move({ advance }); };
$("clock-form").onsubmit = (event) => { event.preventDefault(); if ($("clock-at").value) move({ set: `${$("clock-at").value}:00+08:00` }); };
$("steps").replaceChildren(...STEPS.map((step, n) => { const item = make("li"); const button = make("button", "", `${n + 1}. ${step.title}`); button.type = "button"; button.append(make("small", "", step.then));
  button.onclick = async () => { await become(step.who, step.chat === "group" ? MAIN : `dm:${step.who}`); if (step.text) { $("text").value = step.text; grow(); $("text").focus(); } if (matchMedia("(max-width: 1000px)").matches) side(false); }; item.append(button); return item; }));
$("play").onclick = async () => { try { await open(MAIN); const { messages } = await call("play", {}); toast(`正在播放示例一天的对话，共 ${messages} 条里的前一段`); } catch (error) { toast(error.message); } };
function side(show) { $("frame").classList.toggle("no-side", !show); $("side-toggle").setAttribute("aria-expanded", String(show)); }
$("side-toggle").onclick = () => side($("frame").classList.contains("no-side"));
$("back").onclick = () => setPage("list");
$("newer").onclick = toBottom;
$("flow").onscroll = () => { if (atBottom()) $("newer").hidden = true; };
$("person").onchange = () => { const found = state.people.find((p) => p.name === $("person").value || p.id === $("person").value); if (found) become(found.id); };
function listen() {
  state.stream?.close(); const stream = new EventSource(`/sandbox/api/events?as=${encodeURIComponent(state.me)}`); state.stream = stream;
  const heard = (event) => { const item = JSON.parse(event.data); put(item); clearTimeout(listen.timer); listen.timer = setTimeout(drawChats, 200); };
  stream.addEventListener("message", heard); stream.addEventListener("update", heard);
  stream.addEventListener("clock", (event) => showClock(JSON.parse(event.data)));
  stream.onopen = () => { if (state.lost) { state.lost = false; more(); } }; stream.onerror = () => { state.lost = true; };
}
async function start() {
  try {
    state.people = await call("people"); state.byId = new Map(state.people.map((p) => [p.id, p]));
    if (!state.byId.has(state.me)) state.me = state.people[0]?.id || "";
    $("people").replaceChildren(...state.people.map((p) => { const option = make("option"); option.value = p.name; option.label = ROLES[p.role] || p.role; return option; }));
    drawQuick(); if (matchMedia("(max-width: 1000px)").matches) side(false);
    showClock(await call("clock")); listen(); await open(MAIN); setInterval(tick, 5000); setInterval(async () => showClock(await call("clock")), 60000);
  } catch (error) { fault(error); }
}
start();
