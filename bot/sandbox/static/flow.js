// The conversation: bubbles and cards in order, grouped, dated, without stealing the place one reads.
import { drawCard } from "./cards.js";
import { $, button, face, isCalm, link, make, words } from "./dom.js";
import { dayLine, dayNumber, full, moment } from "./times.js";
import { KINDS } from "./words.js";

const GROUP_GAP = 5 * 60_000;
const NEAR = 80;
const SENT = /^\/sandbox\/api\/files\/\d+\/\d+$/;
const MEGABYTE = 1024 * 1024;
const size = (bytes) =>
  bytes < MEGABYTE ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / MEGABYTE).toFixed(1)} MB`;
const ending = (name) => (/\.([A-Za-z0-9]{1,5})$/.exec(name)?.[1] || "文件").toUpperCase();
const order = (a, b) => {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isFinite(x) && Number.isFinite(y)) return x - y;
  return a < b ? -1 : a > b ? 1 : 0;
};

export class Flow {
  // `on` = { me(), names(), press(item, button, picked), quote(item), menu(item, x, y), look(picture) }
  constructor(on) {
    this.on = on;
    this.box = $("flow");
    this.pill = $("newer");
    this.entries = [];
    this.byId = new Map();
    this.fresh = 0;
    this.pill.onclick = () => {
      this.toEnd(true);
      this.box.focus({ preventScroll: true });
    };
    this.box.addEventListener("scroll", () => this.atEnd() && this.seen(), { passive: true });
    this.box.addEventListener("contextmenu", (event) => this.openMenu(event));
    this.watchTouch();
    // Pictures, folds and the keyboard change heights: who was at the end stays there.
    new ResizeObserver(() => this.sticky && this.toEnd()).observe(this.box);
    this.box.addEventListener("scroll", () => { this.sticky = this.atEnd(); }, { passive: true });
  }

  clear() {
    this.entries = [];
    this.byId.clear();
    this.box.replaceChildren();
    this.sticky = true;
    this.seen();
  }

  empty(text) {
    if (!this.entries.length) this.box.replaceChildren(make("p", "empty", text));
  }

  get(id) {
    return this.byId.get(String(id))?.item;
  }

  items() {
    return this.entries.map((entry) => entry.item);
  }

  // True when the message was not there before.
  put(item, { quiet = false } = {}) {
    const id = String(item.id);
    const known = this.byId.get(id);
    if (known) {
      const older = (item.card?.revision ?? 0) < (known.item.card?.revision ?? 0);
      if (!older) {
        const changed = JSON.stringify(known.item.card) !== JSON.stringify(item.card);
        known.item = item;
        if (changed) known.note = null;
        this.draw(known, changed);
      }
      return false;
    }
    this.box.querySelector(":scope > .empty")?.remove();
    const stay = !quiet && !this.atEnd() && item.sender.id !== this.on.me();
    const entry = { item, node: make("div", "entry"), note: null };
    let at = this.entries.length;
    while (at > 0 && order(this.entries[at - 1].item.id, id) > 0) at -= 1;
    this.box.insertBefore(entry.node, this.entries[at]?.node ?? null);
    this.entries.splice(at, 0, entry);
    this.byId.set(id, entry);
    this.draw(entry, false);
    this.settle(at);
    this.settle(at + 1);
    if (quiet) return true;
    if (stay) {
      this.fresh += 1;
      this.pill.textContent = `${this.fresh} 条新消息`;
      this.pill.hidden = false;
    } else this.toEnd();
    return true;
  }

  note(id, text, bad) {
    const entry = this.byId.get(String(id));
    if (!entry) return;
    entry.note = text ? { text, bad } : null;
    this.draw(entry, false);
  }

  atEnd() {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR;
  }

  toEnd(smooth = false) {
    this.box.scrollTo({ top: this.box.scrollHeight, behavior: smooth && !isCalm() ? "smooth" : "instant" });
    this.sticky = true;
    this.seen();
  }

  seen() {
    this.fresh = 0;
    this.pill.hidden = true;
  }

  show(id) {
    const node = this.byId.get(String(id))?.node;
    if (!node) return;
    node.scrollIntoView({ block: "center", behavior: isCalm() ? "instant" : "smooth" });
    node.classList.remove("shown");
    void node.offsetWidth;
    node.classList.add("shown");
  }

  // The newest card's button with this label, made hard to miss.
  point(label) {
    for (const { node } of [...this.entries].reverse()) {
      const found = node.querySelector(`.actions button[data-label="${CSS.escape(label)}"]`);
      if (!found) continue;
      node.scrollIntoView({ block: "center" });
      found.classList.add("pointed");
      found.focus();
      return true;
    }
    return false;
  }

  retime() {
    for (const node of this.box.querySelectorAll("time")) node.textContent = moment(node.dateTime);
    for (const node of this.box.querySelectorAll(".day")) node.textContent = dayLine(node.dataset.at);
  }

  settle(at) {
    const entry = this.entries[at];
    if (!entry) return;
    const before = this.entries[at - 1]?.item;
    const { item, node } = entry;
    const newDay = !before || dayNumber(before.at) !== dayNumber(item.at);
    const line = node.querySelector(":scope > .day");
    if (newDay && !line) {
      const day = make("div", "day", dayLine(item.at));
      day.dataset.at = item.at;
      node.prepend(day);
    } else if (!newDay && line) line.remove();
    const near = !newDay && Date.parse(item.at) - Date.parse(before.at) < GROUP_GAP;
    node.classList.toggle("joined", near && before.sender.id === item.sender.id && !KINDS[item.kind]);
  }

  draw(entry, changed) {
    const { item, node } = entry;
    const own = item.sender.id === this.on.me();
    const held = node.contains(document.activeElement) ? document.activeElement.dataset.label : undefined;
    const message = make("article", own ? "msg own" : "msg");
    message.dataset.id = item.id;
    // Where the eye sees whose it is by its place, the name is not shown.
    message.setAttribute("aria-label", item.sender.name);
    const stack = make("div", "stack");
    stack.append(this.from(item), this.body(item, entry));
    for (const sent of item.attachments || []) {
      stack.append(sent.type === "file" ? this.file(sent) : this.picture(this.mine(sent)));
    }
    const quote = button("引用", "quote-button", () => this.on.quote(item));
    quote.setAttribute("aria-label", `引用${item.sender.name}的消息`);
    message.append(face(item.sender), stack, quote);
    node.querySelector(":scope > .msg")?.remove();
    node.append(message);
    if (changed) message.classList.add("changed");
    this.fold(message);
    if (held) (message.querySelector(".actions button") || quote).focus({ preventScroll: true });
  }

  from(item) {
    const line = make("div", "from");
    line.append(make("span", "name", item.sender.name));
    if (item.sender.is_bot) line.append(make("span", "tag", KINDS[item.kind] || "机器人"));
    const time = make("time", "", moment(item.at));
    time.dateTime = item.at;
    time.title = full(item.at);
    line.append(time);
    return line;
  }

  body(item, entry) {
    const called = (item.mentions || []).map((m) => (typeof m === "string" ? m : m.name));
    if (item.card) {
      const card = drawCard(item.card, entry.note, (id, picked) => this.on.press(item, id, picked));
      if (!called.length && !item.reply_to) return card;
      const both = make("div", "with-card");
      const above = make("div", "bubble");
      this.quoteOf(item, above);
      if (called.length) above.append(make("div", "at", called.map((name) => `@${name}`).join(" ")));
      if (above.childNodes.length) both.append(above);
      both.append(card);
      return both;
    }
    const bubble = make("div", "bubble");
    this.quoteOf(item, bubble);
    const missing = called.filter((name) => !item.text.includes(`@${name}`));
    if (missing.length) bubble.append(make("div", "at", missing.map((name) => `@${name}`).join(" ")));
    const files = item.attachments || [];
    if (item.kind === "file" && !files.length) bubble.append(make("div", "text quiet", "文件已撤回"));
    else if (item.text && item.kind !== "file") {
      const text = make("div", "text");
      text.append(words(item.text, this.on.names()));
      bubble.append(text);
    }
    if (!bubble.childNodes.length) bubble.classList.add("bare");
    return bubble;
  }

  quoteOf(item, into) {
    if (!item.reply_to) return;
    const found = this.get(item.reply_to);
    if (!found) {
      into.append(make("div", "quote", "引用了较早的一条消息"));
      return;
    }
    const sent = found.attachments || [];
    const picture = sent.some((one) => one.type !== "file") ? "［图片］" : sent.length ? "［文件］" : "";
    const said = found.card ? `${found.card.title} ${found.card.lead}` : `${picture}${found.text}`;
    const quote = button("", "quote", () => this.show(found.id));
    quote.setAttribute("aria-label", `看被引用的消息，${found.sender.name}：${said.slice(0, 60)}`);
    quote.append(make("span", "", `${found.sender.name}：${said}`));
    into.append(quote);
  }

  // What the bot sent is given to those in the chat alone: who asks says who they are.
  mine(sent) {
    if (!SENT.test(sent.url)) return sent;
    return { ...sent, url: `${sent.url}?${new URLSearchParams({ as: this.on.me() })}` };
  }

  file(sent) {
    if (!SENT.test(sent.url)) return make("span");
    const chip = link("", this.mine(sent).url);
    chip.className = "file";
    chip.setAttribute("aria-label", `打开文件 ${sent.name}，${size(sent.size)}`);
    chip.append(make("span", "file-kind", ending(sent.name)), make("span", "file-name", sent.name));
    chip.append(make("span", "file-size", size(sent.size)));
    return chip;
  }

  picture(picture) {
    const shown = /^data:image\/(png|jpeg|gif|webp);base64,/.test(picture.url);
    if (!shown && !SENT.test(picture.url.split("?")[0])) return make("span");
    const frame = button("", "picture", () => this.on.look(picture));
    frame.setAttribute("aria-label", `放大图片 ${picture.name || ""}`.trim());
    const image = make("img");
    image.alt = picture.name || "图片";
    image.onload = () => this.sticky && this.toEnd();
    image.src = picture.url;
    frame.append(image);
    return frame;
  }

  fold(message) {
    const text = message.querySelector(".bubble > .text");
    if (!text || (text.textContent.length < 90 && text.textContent.split("\n").length <= 8)) return;
    text.classList.add("folded");
    // Whoever has to press for a line or two would rather have read them.
    if (text.scrollHeight <= text.clientHeight * 1.5) {
      text.classList.remove("folded");
      return;
    }
    const more = button("展开全文", "more", () => {
      const folded = text.classList.toggle("folded");
      more.textContent = folded ? "展开全文" : "收起";
      more.setAttribute("aria-expanded", String(!folded));
    });
    more.setAttribute("aria-expanded", "false");
    text.after(more);
  }

  openMenu(event) {
    const item = this.get(event.target.closest?.(".msg")?.dataset.id);
    if (!item || getSelection().toString() || event.target.closest("a")) return;
    event.preventDefault();
    this.on.menu(item, event.clientX, event.clientY);
  }

  // iOS has no contextmenu event for a long press.
  watchTouch() {
    let timer = 0;
    const stop = () => clearTimeout(timer);
    this.box.addEventListener("touchstart", (event) => {
      stop();
      const item = this.get(event.target.closest?.(".msg")?.dataset.id);
      if (!item || event.touches.length > 1 || event.target.closest("button, a, label")) return;
      const { clientX, clientY } = event.touches[0];
      timer = setTimeout(() => this.on.menu(item, clientX, clientY), 500);
    }, { passive: true });
    for (const kind of ["touchend", "touchmove", "touchcancel"]) this.box.addEventListener(kind, stop, { passive: true });
  }
}
